// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_STREAM_ENCODER_H_
#define STATELIB_CORE_TOKENIZER_STREAM_ENCODER_H_

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "core/tokenizer/tokenizer.h"

namespace statelib::tokenizer {

/// Tokens while their text is still coming. The ids that are handed out, one after the other, equal
/// Tokenizer::Encode() of the whole text. Where the tokenizer cuts after words (see
/// Tokenizer::CutsAfterWords), little more than a part's length is ever held; else, and in a part
/// without such a place, text is held until there is one or the end comes. Valid while the
/// tokenizer lives. One thread.
class StreamEncoder {
 public:
  /// Told of a part of the text and its ids; specials at the text's two ends count to the nearest
  /// part.
  using OnPart = std::function<void(std::string_view part, std::span<const TokenId> ids)>;

  static constexpr size_t kPartBytes = size_t{64} << 10;

  StreamEncoder(const Tokenizer& tokenizer, AddSpecial add_special, OnPart on_part,
                size_t part_bytes = kPartBytes);

  /// Takes the next bytes of the text. Errors: kInvalidArgument when more than 64 MiB would have to
  /// be held.
  void Push(std::string_view text);
  /// Ends the text; call once, last. Errors: as Push.
  void Finish();

 private:
  void Encode(std::string_view part, bool is_last);

  const Tokenizer& tokenizer_;
  AddSpecial add_special_;
  OnPart on_part_;
  size_t part_bytes_;
  std::string held_;
  size_t searched_ = 0;  // of held_, where there is no place to cut
  bool is_first_ = true;
};

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_STREAM_ENCODER_H_
