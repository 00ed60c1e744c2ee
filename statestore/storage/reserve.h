// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_RESERVE_H_
#define STATELIB_STATESTORE_STORAGE_RESERVE_H_

#include <functional>

#include "statestore/storage/repository.h"

// To free space one has to write: a transaction, a record. For that a library keeps a file of
// zeros, index.db-reserve, which is given up when the disk is full and made again by the next gc.
namespace statelib::storage {

/// Makes the reserve if it is not there. Where that fails there is none, which is no error.
void KeepReserve(FileSystem& files, const LibraryPlaces& places);

/// Index::Write of what frees space. Where the disk is full, the reserve is given up and `body`
/// runs again, from the beginning. Errors: those of Index::Write.
void WriteFreeingSpace(Repository& repository, const std::function<void()>& body);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_RESERVE_H_
