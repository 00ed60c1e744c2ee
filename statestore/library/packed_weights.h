// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_PACKED_WEIGHTS_H_
#define STATELIB_STATESTORE_LIBRARY_PACKED_WEIGHTS_H_

#include <filesystem>

#include "statestore/library/library.h"

namespace statelib::library {

/// Where models' weights are kept as the backend packed them: LIBRARY/cache/weights. A cache: it
/// may be removed at any time.
std::filesystem::path PackedWeightsFolder(const Library& library);

struct StalePackedWeights {
  uint64_t files = 0;
  uint64_t bytes = 0;
};

/// Removes, or with dry_run only counts, the files that nothing will use again: of models that the
/// library does not know or whose folder is gone, of another layout than this program's, and
/// unfinished ones. Errors: kIo.
StalePackedWeights RemoveStaleWeights(Library& library, bool dry_run);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_PACKED_WEIGHTS_H_
