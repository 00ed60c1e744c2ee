// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_STREAM_DECODER_H_
#define STATELIB_CORE_TOKENIZER_STREAM_DECODER_H_

#include <memory>
#include <string>

#include "core/base/history.h"
#include "core/tokenizer/decoder.h"
#include "core/tokenizer/tokenizer.h"

namespace statelib::tokenizer {

/// Text while its tokens are still coming. What Push() and Flush() return is valid UTF-8, never
/// half a character, and together equals Tokenizer::Decode() of all ids. Valid while the tokenizer
/// lives. One thread.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer, bool skip_special = false);

  /// Takes a token; returns the text that no later token can change, maybe none.
  std::string Push(TokenId id);
  /// Ends the stream: returns what was held back, with U+FFFD for a character that was never
  /// completed. Then begins anew.
  std::string Flush();

 private:
  class Output;

  void Begin();

  const Tokenizer& tokenizer_;
  bool skip_special_;
  std::unique_ptr<TextSink> steps_;
  Output* output_ = nullptr;  // the last of steps_, which own it
};

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_STREAM_DECODER_H_
