// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_REPLACEMENT_H_
#define STATELIB_CORE_TOKENIZER_REPLACEMENT_H_

#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/tokenizer/pattern.h"

namespace statelib::tokenizer {

/// A pattern and the text that takes the place of its matches: the Replace component of normalizers
/// and decoders. Immutable.
class Replacement {
 public:
  Replacement(Pattern pattern, std::string content);
  /// Reads {"pattern": …, "content": "…"}.
  static Replacement FromJson(const JsonValue& json);

  /// Appends `text` with every match replaced. Errors: kUnsupported when `out` would pass
  /// kWholeTextBytesMax.
  void Append(std::string_view text, std::string& out) const;

 private:
  Pattern pattern_;
  std::string content_;
};

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_REPLACEMENT_H_
