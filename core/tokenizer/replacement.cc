// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/replacement.h"

#include <utility>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/base/utf8.h"

namespace statelib::tokenizer {

Replacement::Replacement(Pattern pattern, std::string content)
    : pattern_(std::move(pattern)), content_(std::move(content)) {}

Replacement Replacement::FromJson(const JsonValue& json) {
  return {Pattern::FromJson(json["pattern"]), std::string(json["content"].String())};
}

void Replacement::Append(std::string_view text, std::string& out) const {
  PatternSearch search(pattern_);
  search.Start(text);
  size_t copied = 0;
  for (Span match; search.Next(match); copied = match.end) {
    out.append(text.substr(copied, match.begin - copied));
    out.append(content_);
    if (out.size() > kWholeTextBytesMax) {
      Throw(ErrorKind::kUnsupported, "replacing \"{}\" makes a text of more than {} bytes",
            Printable(pattern_.source()), kWholeTextBytesMax);
    }
  }
  out.append(text.substr(copied));
}

}  // namespace statelib::tokenizer
