// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_EMBEDDED_VOCABULARY_H_
#define STATELIB_CORE_TOKENIZER_EMBEDDED_VOCABULARY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/history.h"

namespace statelib::tokenizer {

struct Components;

/// A tokenizer as GGUF files hold it under "tokenizer.ggml.": flat arrays by token id and flags,
/// with the way of a text told by two names. The views live as long as the file that was read.
struct EmbeddedVocabulary {
  /// Values of `types`.
  enum TokenType : int64_t {
    kNormal = 1,
    kUnknown = 2,
    kControl = 3,      ///< special: found in text, left out of decoded text on request
    kUserDefined = 4,  ///< found in text before anything else looks at it
    kUnused = 5,       ///< a row without a token
    kByte = 6,         ///< "<0x0A>"
  };

  std::string_view
      kind;              ///< "gpt2": byte-level BPE by merges; "llama": SentencePiece BPE by scores
  std::string_view pre;  ///< gpt2: the name of its pre-tokenizer ("falcon")
  std::vector<std::string_view> tokens;
  std::vector<int64_t> types;            ///< of each token; empty: all normal
  std::vector<double> scores;            ///< llama: of each token; a higher one is merged earlier
  std::vector<std::string_view> merges;  ///< gpt2: "left right", by rank
  std::optional<TokenId> begin;          ///< the token for the beginning of a text
  std::optional<TokenId> end;
  std::optional<TokenId> unknown;
  std::optional<bool> adds_begin;  ///< unset: as the kind has it
  std::optional<bool> adds_end;
  std::optional<bool> adds_space_prefix;
};

/// The components that read and write text as the vocabulary says; `name` is for messages.
/// Errors: kUnsupported for another kind or pre-tokenizer, with those that are known; kCorrupt for
/// arrays that contradict each other.
/// Source: llama.cpp's llama-vocab.cpp, whose names and regular expressions these are; normal forms
/// are those of the tokenizer.json files that the names stand for.
Components ComponentsOf(const EmbeddedVocabulary& vocabulary, const std::string& name);

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_EMBEDDED_VOCABULARY_H_
