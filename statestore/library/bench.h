// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_BENCH_H_
#define STATELIB_STATESTORE_LIBRARY_BENCH_H_

#include <filesystem>

#include "statestore/library/models.h"

namespace statelib::library {

/// What it takes to store a state and to have it back, every hash checked and files synced.
struct StateSpeed {
  double save_seconds = 0;  ///< medians
  double load_seconds = 0;
  double first_token_seconds = 0;  ///< to load it and have the logits of the token that follows
  uint64_t raw_bytes = 0;
  uint64_t stored_bytes = 0;
};

/// Saves and loads states of a text that was really read, in a library of its own that it makes in
/// `folder`, an empty folder on the disk that is meant. Takes about `seconds`. Errors: those of
/// SaveState and LoadState; kCancelled.
StateSpeed MeasureStateSpeed(const LoadedModel& model, const std::filesystem::path& folder,
                             double seconds, const CancelFlag* cancel = nullptr);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_BENCH_H_
