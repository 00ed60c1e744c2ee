// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_DIFF_H_
#define STATELIB_STATESTORE_LIBRARY_DIFF_H_

#include <optional>
#include <string>
#include <vector>

#include "core/tokenizer/tokenizer.h"
#include "statestore/library/library.h"

namespace statelib::library {

/// How two histories relate.
struct HistoryDifference {
  uint64_t tokens_a = 0;
  uint64_t tokens_b = 0;
  bool equal = false;        ///< the same tokens; of two tokenizers the same text
  bool tokens_kept = false;  ///< the library keeps the tokens of both
  /// The tokens that both begin with; empty when they are not kept and the histories differ, and
  /// for two tokenizers.
  std::optional<uint64_t> common_tokens;
  /// Of two tokenizers: the bytes of text that both begin with; empty when tokens are not kept or a
  /// tokenizer is missing. `before` is empty then, and the others are whole tokens from there on.
  std::optional<uint64_t> common_bytes;
  /// Some tokens before the parting and after it in each; empty when unknown or equal.
  std::vector<TokenId> before;
  std::vector<TokenId> after_a;
  std::vector<TokenId> after_b;
  /// The same as text; empty without a tokenizer.
  std::string before_text;
  std::string after_text_a;
  std::string after_text_b;
};

/// How far one segment of two states is apart, over all its elements.
struct SegmentDifference {
  SegmentSpec spec;
  bool equal_bytes = false;
  double cosine = 1;            ///< of the two as vectors; 1 when both are zero, 0 when one is
  double relative_l2 = 0;       ///< |a - b| / |a|; infinite when only a is zero
  double largest_absolute = 0;  ///< of a - b
};

/// Compares the raw bytes of two segments of one description.
SegmentDifference CompareSegments(const SegmentSpec& spec, const Bytes& a_bytes,
                                  const Bytes& b_bytes);

struct StateDifference {
  storage::ResolvedState a;
  storage::ResolvedState b;
  bool same_model = false;
  bool same_profile = false;
  bool equal_content = false;  ///< every byte of every segment
  HistoryDifference history;
  /// Largest relative_l2 first; empty for states of two models: their values have nothing to do
  /// with each other.
  std::vector<SegmentDifference> segments;
};

/// Compares two stored states. The tokenizers, which may be null, are those of their models, for
/// the text around the parting; histories of two tokenizers are compared as texts. Memory: one
/// segment and the history of each. Errors: kCorrupt, kNotFound (objects).
StateDifference Diff(const Library& library, const storage::ResolvedState& a,
                     const storage::ResolvedState& b, const tokenizer::Tokenizer* tokenizer_a,
                     const tokenizer::Tokenizer* tokenizer_b);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_DIFF_H_
