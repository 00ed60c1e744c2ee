// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_ADOPT_H_
#define STATELIB_STATESTORE_STORAGE_ADOPT_H_

#include <filesystem>

#include "statestore/storage/repository.h"

namespace statelib::storage {

/// Makes a finished file inside a library's tmp/ the object that it is said to be: checks its hash,
/// reading it in blocks, and moves it into place durably. The caller holds the write lease.
/// Errors: kCorrupt with expected and found hash, and the file stays; kIo.
void AdoptObject(Repository& repository, const ObjectId& id, const std::filesystem::path& file);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_ADOPT_H_
