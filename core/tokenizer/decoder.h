// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_DECODER_H_
#define STATELIB_CORE_TOKENIZER_DECODER_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"

namespace statelib::tokenizer {

/// Where tokens' texts go on their way to the reader. What is pushed is valid UTF-8; what is held
/// back comes out by Flush() at the latest. One thread.
class TextSink {
 public:
  virtual ~TextSink() = default;
  virtual void Push(std::string_view text) = 0;
  virtual void Flush() = 0;
};

/// One step between tokens and text. Immutable, thread-safe.
class DecoderStep {
 public:
  virtual ~DecoderStep() = default;
  /// A run of this step over one stream of tokens, which hands on to `next`.
  virtual std::unique_ptr<TextSink> Start(std::unique_ptr<TextSink> next) const = 0;
  /// What the step makes of a token whatever stands beside it, as bytes.
  virtual void ToBytes(std::string& /*token*/) const {}
};

/// Turns tokens back into text. Immutable, thread-safe.
class Decoder {
 public:
  /// Without `json`, tokens stand apart by spaces. Errors: kUnsupported, kCorrupt.
  static Decoder FromJson(const std::optional<JsonValue>& json);
  /// SentencePiece's: "▁" is a space, and the text loses the one before it with
  /// `drops_first_space`.
  static Decoder OfPieces(bool drops_first_space);

  /// A run over one stream of tokens that hands its text to `out`.
  std::unique_ptr<TextSink> Start(std::unique_ptr<TextSink> out) const;

  /// The bytes that a token of this text adds to the output.
  std::string BytesOf(std::string_view token) const;

 private:
  std::vector<std::unique_ptr<const DecoderStep>> steps_;
};

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_DECODER_H_
