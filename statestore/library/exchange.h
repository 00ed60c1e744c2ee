// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_EXCHANGE_H_
#define STATELIB_STATESTORE_LIBRARY_EXCHANGE_H_

#include <filesystem>
#include <string>
#include <vector>

#include "statestore/library/library.h"
#include "statestore/storage/bundle.h"

namespace statelib::library {

/// Writes the states that NAME[:TAG][@N] each name, with their histories and lineage, to a bundle
/// file, which replaces one of that name. Errors: those of Resolve and ExportBundle.
storage::ExportReport Export(const Library& library, const std::vector<std::string>& names,
                             const std::filesystem::path& file, const CancelFlag* cancel = nullptr);

/// Verifies a bundle file whole and then adds what it carries. Errors: those of BundleFile::Open
/// and ImportBundle; then nothing of it is visible.
storage::ImportReport Import(Library& library, const std::filesystem::path& file,
                             const storage::ImportOptions& options);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_EXCHANGE_H_
