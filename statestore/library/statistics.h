// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_STATISTICS_H_
#define STATELIB_STATESTORE_LIBRARY_STATISTICS_H_

#include <cstdint>

#include "statestore/library/library.h"

namespace statelib::library {

/// How much a library holds. Bytes are those of files, but for `raw_bytes`.
struct LibraryStatistics {
  uint64_t names = 0;  ///< NAME:TAG each
  uint64_t versions = 0;
  uint64_t models = 0;
  uint64_t states = 0;
  uint64_t checkpoints = 0;     ///< of the states, those without a name that ingests left
  uint64_t tokens_objects = 0;  ///< that states use
  uint64_t raw_bytes = 0;       ///< of the states' values, uncompressed
  uint64_t state_bytes = 0;     ///< of the states' objects
  uint64_t token_bytes = 0;     ///< of the tokens objects that states use
  /// What more would be stored if every version had a state object of its own and every state its
  /// own tokens objects.
  uint64_t shared_bytes = 0;
  uint64_t unneeded_objects = 0;  ///< that no state is or uses: gc removes them
  uint64_t unneeded_bytes = 0;
  uint64_t index_bytes = 0;
};

/// Reads the index and the sizes of the files. Time: linear in the number of objects. Errors: those
/// of Database; kIo.
LibraryStatistics Statistics(const Library& library);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_STATISTICS_H_
