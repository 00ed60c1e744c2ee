// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_VOCABULARY_H_
#define STATELIB_CORE_TOKENIZER_VOCABULARY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/history.h"
#include "core/base/json.h"
#include "core/tokenizer/seeded_hash.h"

namespace statelib::tokenizer {

/// Ids lie below this bound: no vocabulary in use comes near it, and an embedding of that many rows
/// would not fit a machine.
inline constexpr int64_t kIdsMax = int64_t{1} << 24;

/// The tokens of a vocabulary by id and by text. Memory follows the number of tokens, not the
/// highest id. Immutable once sealed; then thread-safe.
class Vocabulary {
 public:
  /// Prepares for `tokens` tokens of `text_bytes` bytes in all; more are fine.
  void Reserve(size_t tokens, size_t text_bytes);
  /// Adds a token; false, changing nothing, when the text is already there. Not after Seal().
  bool Add(std::string_view text, TokenId id);
  /// Makes ids findable. Returns an id that two tokens have, if there is one.
  std::optional<TokenId> Seal();

  std::optional<TokenId> Find(std::string_view text) const;
  /// The token's text; empty for an id without a token. Valid while the vocabulary lives.
  std::optional<std::string_view> Text(TokenId id) const;
  /// The highest id and one; 0 for no tokens.
  size_t size() const { return size_; }

  /// Reads {"token": id, …}. Errors: kCorrupt for ids out of range or used twice.
  static Vocabulary FromJson(const JsonValue& json);

 private:
  struct Token {
    TokenId id;
    uint32_t length;
    uint64_t begin;  ///< in text_
  };
  struct Slot {
    uint32_t token_and_one = 0;  ///< 0: free
    uint32_t hash = 0;           ///< spares most comparisons of texts
  };

  std::string_view TextOf(const Token& token) const {
    return std::string_view(text_).substr(token.begin, token.length);
  }
  size_t FindSlot(std::string_view text, uint64_t hash) const;
  void Grow(size_t slots);

  SeededHash hash_;
  std::string text_;           // all tokens, one behind the other
  std::vector<Token> tokens_;  // by id, once sealed
  std::vector<Slot> slots_;    // a power of two, open addressing
  size_t size_ = 0;
};

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_VOCABULARY_H_
