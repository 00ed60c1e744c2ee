// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/exchange.h"

#include "core/base/error.h"

namespace statelib::library {

std::vector<storage::ResolvedState> ResolveAll(const Library& library, const Selection& selection) {
  std::vector<storage::ResolvedState> states;
  for (const std::string& name : selection.names) {
    const storage::ResolvedState state = library.Resolve(name);
    if (!selection.all_versions || !state.reference) {
      states.push_back(state);
      continue;
    }
    storage::Reference reference = storage::Reference::Parse(name);
    if (reference.version) {
      Throw(ErrorKind::kInvalidArgument, "{}: one version, and --all-versions; leave out one",
            name);
    }
    const auto versions =
        library.repository().index().references().Versions(reference.name, reference.tag);
    for (const storage::VersionRow& version : versions) {
      reference.version = version.number;
      states.push_back(library.repository().Resolve(reference));
    }
  }
  return states;
}

storage::ExportReport Export(const Library& library, const Selection& selection,
                             const std::filesystem::path& file,
                             const storage::ExportOptions& options) {
  const storage::Lease lease = library.repository().ReadLease();
  return storage::ExportBundle(library.repository(), ResolveAll(library, selection),
                               library.files(), file, options);
}

BundleReport Import(Library& library, const std::filesystem::path& file, KeyRing& keys,
                    const SignerPolicy& policy, const storage::ImportOptions& options) {
  storage::BundleFile bundle = storage::BundleFile::Open(file);
  BundleReport report;
  report.signer = JudgeSigner(keys, bundle.signer(), policy);
  if (!options.dry_run) RequireAccepted(report.signer, bundle.where());
  report.import =
      storage::ImportBundle(library.repository(), bundle,
                            storage::Escaped(file.filename().string()), options, library.now_ms());
  if (!options.dry_run) RememberSigner(keys, report.signer, policy);
  return report;
}

}  // namespace statelib::library
