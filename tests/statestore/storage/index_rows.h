// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_STATESTORE_STORAGE_INDEX_ROWS_H_
#define STATELIB_TESTS_STATESTORE_STORAGE_INDEX_ROWS_H_

#include <string>

#include "statestore/storage/index.h"
#include "tests/statestore/sample_state.h"

namespace statelib::storage {

/// The row of a sample state, as of one that was stored.
inline StateRow RowFor(unsigned seed, uint64_t tokens = 5) {
  const StateRecord record = SampleState(tokens, seed);
  StateRow row =
      RowOf(HashOf(AsBytes("state " + std::to_string(seed))),
            {record.description, HashOf(AsBytes(std::to_string(seed))), {}}, 1000 + seed, 50);
  row.tokens_kept = true;
  return row;
}

}  // namespace statelib::storage

#endif  // STATELIB_TESTS_STATESTORE_STORAGE_INDEX_ROWS_H_
