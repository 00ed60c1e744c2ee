// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_BPE_H_
#define STATELIB_CORE_TOKENIZER_BPE_H_

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/history.h"
#include "core/base/json.h"
#include "core/tokenizer/merge_table.h"
#include "core/tokenizer/merging.h"
#include "core/tokenizer/vocabulary.h"

namespace statelib::tokenizer {

/// Byte-pair encoding (Sennrich et al. 2016): a pre-token's characters, merged by ranks. Immutable,
/// thread-safe.
class Bpe {
 public:
  /// What an encoding is made of. The vocabulary is sealed; merges and `unknown` are tokens of it.
  struct Ingredients {
    Vocabulary vocabulary;
    MergeTable merges;
    bool byte_fallback = false;  ///< characters without a token become <0x00> to <0xFF>
    std::optional<TokenId> unknown;
    bool fuse_unknown = false;   ///< unknown characters in a row are one token
    bool ignore_merges = false;  ///< a whole pre-token that is a token is left alone
  };

  Bpe() = default;
  explicit Bpe(Ingredients ingredients);
  /// Reads the member "model". Errors: kUnsupported for another model or an option that changes
  /// results and is not implemented, kCorrupt for merges whose parts or result are no tokens.
  static Bpe FromJson(const JsonValue& json);

  /// What one caller's encoding needs and reuses. One thread.
  struct Workspace {
    Merging merging;
    std::vector<TokenId> tokens;
    std::string text;
  };
  /// Appends the tokens of one pre-token, valid UTF-8. With `as_bytes`, its characters are those
  /// that stand for its bytes in the byte alphabet.
  void Encode(std::string_view piece, bool as_bytes, Workspace& workspace,
              std::vector<TokenId>& out) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  class Symbols;
  using ByteIds = std::array<TokenId, 256>;

  Vocabulary vocabulary_;
  MergeTable merges_;
  ByteIds byte_ids_{};               // of the byte alphabet's characters; -1: no such token
  std::optional<ByteIds> fallback_;  // of <0x00> to <0xFF>, when characters may fall back to them
  std::optional<TokenId> unknown_;
  bool fuse_unknown_ = false;
  bool ignore_merges_ = false;
};

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_BPE_H_
