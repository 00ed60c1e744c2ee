// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/stream_encoder.h"

#include <algorithm>
#include <utility>

#include "core/base/utf8.h"
#include "core/tokenizer/pre_tokenizer.h"

namespace statelib::tokenizer {

namespace {

/// The last place in text[from, …) that is after a word; 0 where there is none.
size_t LastWordEnd(std::string_view text, size_t from) {
  for (size_t at = text.size(); at-- > std::max<size_t>(from, 1);)
    if (IsWordEnd(text[at - 1], text[at])) return at;
  return 0;
}

}  // namespace

StreamEncoder::StreamEncoder(const Tokenizer& tokenizer, AddSpecial add_special, OnPart on_part,
                             size_t part_bytes)
    : tokenizer_(tokenizer),
      add_special_(add_special),
      on_part_(std::move(on_part)),
      part_bytes_(part_bytes) {}

void StreamEncoder::Push(std::string_view text) {
  while (!text.empty()) {
    const size_t wanted = searched_ + part_bytes_ - held_.size();
    const size_t count = std::min(text.size(), wanted);
    held_ += text.substr(0, count);
    text.remove_prefix(count);
    if (count < wanted) return;
    const size_t cut = tokenizer_.CutsAfterWords() ? LastWordEnd(held_, searched_) : 0;
    searched_ = held_.size();
    if (cut > 0) {
      Encode(std::string_view(held_).substr(0, cut), false);
      held_.erase(0, cut);
      searched_ = 0;
    } else if (held_.size() > kWholeTextBytesMax) {
      tokenizer_.Encode(held_);  // says that this is too long
    }
  }
}

void StreamEncoder::Finish() {
  Encode(held_, true);
  held_.clear();
}

void StreamEncoder::Encode(std::string_view part, bool is_last) {
  const auto [before, after] = tokenizer_.Specials();
  std::vector<TokenId> ids;
  const bool adds = add_special_ == AddSpecial::kYes;
  if (adds && std::exchange(is_first_, false)) ids.assign(before.begin(), before.end());
  const std::vector<TokenId> own = tokenizer_.Encode(part, AddSpecial::kNo);
  ids.insert(ids.end(), own.begin(), own.end());
  if (adds && is_last) ids.insert(ids.end(), after.begin(), after.end());
  on_part_(part, ids);
}

}  // namespace statelib::tokenizer
