// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_EXCHANGE_H_
#define STATELIB_STATESTORE_LIBRARY_EXCHANGE_H_

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "statestore/library/keys.h"
#include "statestore/library/library.h"
#include "statestore/library/save.h"
#include "statestore/storage/bundle.h"

namespace statelib::library {

/// What to carry away.
struct Selection {
  std::vector<std::string> names;  ///< NAME[:TAG][@N] or a pattern (selection.h) each
  bool all_versions = false;       ///< every version of each name, not only the one it names
};

/// The states of a selection. Errors: those of Resolve and Select; kInvalidArgument for a version
/// together with all_versions.
std::vector<storage::ResolvedState> ResolveAll(const Library& library, const Selection& selection);

/// Writes states with their histories and lineage to a bundle file, which replaces one of that
/// name. Errors: those of ResolveAll and ExportBundle.
storage::ExportReport Export(const Library& library, const Selection& selection,
                             const std::filesystem::path& file,
                             const storage::ExportOptions& options);

/// A bundle whose states were stored otherwise on their way.
struct RecodedExport {
  storage::ExportReport report;
  std::vector<SavedState> recoded;  ///< with what the codec cost each
};

/// Export with the states stored in a lossy codec, as Recode does it, one version of a name each;
/// one that is stored so already goes as it is. The library is not changed: the work is done in a
/// library of its own among the system's temporary files. `model_of` gives the model of a state.
/// Errors: those of Export and Recode; kInvalidArgument for two versions of a name, all_versions or
/// a state without a name.
RecodedExport ExportRecoded(
    const Library& library, const Selection& selection, const std::filesystem::path& file,
    const storage::ExportOptions& options, const CodecRequest& codec,
    const std::function<const LoadedModel&(const storage::ResolvedState&)>& model_of);

struct BundleReport {
  storage::ImportReport import;
  SignerReport signer;
};

/// Verifies a bundle whole, its signature first, and then adds what it carries. `source_name` is
/// what lineage will call it. A dry run is not stopped by a signer that the policy refuses. Another
/// model does not get the name of `embedded`, the model that comes with the program. Errors:
/// kMismatch for such a signer; those of ImportBundle; then nothing of it is visible.
BundleReport Import(Library& library, storage::BundleFile& bundle, const std::string& source_name,
                    KeyRing& keys, const SignerPolicy& policy, storage::ImportOptions options,
                    const ModelPlace& embedded = {});

/// Keeps the embedded model's name from the other models of a manifest.
void ReserveName(Library& library, const storage::BundleManifest& manifest,
                 const ModelPlace& embedded, storage::ImportOptions* options);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_EXCHANGE_H_
