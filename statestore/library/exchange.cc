// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/exchange.h"

namespace statelib::library {

storage::ExportReport Export(const Library& library, const std::vector<std::string>& names,
                             const std::filesystem::path& file, const CancelFlag* cancel) {
  const storage::FileLock lease = library.repository().ReadLease();
  std::vector<storage::ResolvedState> states;
  for (const std::string& name : names) states.push_back(library.Resolve(name));
  return storage::ExportBundle(library.repository(), states, library.files(), file, cancel);
}

storage::ImportReport Import(Library& library, const std::filesystem::path& file,
                             const storage::ImportOptions& options) {
  storage::BundleFile bundle = storage::BundleFile::Open(file);
  return storage::ImportBundle(library.repository(), bundle,
                               storage::Escaped(file.filename().string()), options,
                               library.now_ms());
}

}  // namespace statelib::library
