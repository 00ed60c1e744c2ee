// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_NORMALIZER_H_
#define STATELIB_CORE_TOKENIZER_NORMALIZER_H_

#include <memory>
#include <optional>
#include <string>

#include "core/base/json.h"

namespace statelib::tokenizer {

/// What is done to the text between added tokens before it is cut into pre-tokens. Immutable.
class Normalizer {
 public:
  virtual ~Normalizer() = default;

  /// Changes a piece of text, valid UTF-8 before and after.
  virtual void Apply(std::string& text) const = 0;

  /// Whether text that is cut after a word (PreTokenizer::CutsAfterWords) may be changed part by
  /// part.
  virtual bool KeepsWordEnds() const { return false; }

  /// Builds the one that `json` describes; without `json`, one that changes nothing.
  /// Errors: kUnsupported for a type that this build does not have, kCorrupt.
  static std::unique_ptr<const Normalizer> FromJson(const std::optional<JsonValue>& json);
};

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_NORMALIZER_H_
