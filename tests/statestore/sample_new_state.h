// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_STATESTORE_SAMPLE_NEW_STATE_H_
#define STATELIB_TESTS_STATESTORE_SAMPLE_NEW_STATE_H_

#include <numeric>
#include <utility>
#include <vector>

#include "statestore/storage/publish.h"
#include "tests/statestore/sample_state.h"

namespace statelib::storage {

inline std::vector<TokenId> SampleTokens(size_t count, TokenId first) {
  std::vector<TokenId> tokens(count);
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

/// SampleState(token_count, seed) with its tokens kept, as what is to be stored. Views lie in it.
struct SampleNewState {
  explicit SampleNewState(uint64_t token_count = 5, unsigned seed = 1)
      : SampleNewState(SampleState(token_count, seed), seed) {}
  SampleNewState(StateRecord of, unsigned seed)
      : record(std::move(of)),
        tokens(SampleTokens(record.description.history.token_count(), static_cast<TokenId>(seed))),
        views(Views(record.segments)) {
    state.description = record.description;
    state.description.tokens_kept = true;
    state.tokens_after = tokens;
    state.segments = views;
  }
  SampleNewState(const SampleNewState&) = delete;
  SampleNewState& operator=(const SampleNewState&) = delete;

  StateRecord record;
  std::vector<TokenId> tokens;
  std::vector<ByteSpan> views;
  NewState state;
};

}  // namespace statelib::storage

#endif  // STATELIB_TESTS_STATESTORE_SAMPLE_NEW_STATE_H_
