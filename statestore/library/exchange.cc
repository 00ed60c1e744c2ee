// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/exchange.h"

#include <cerrno>
#include <cstdlib>
#include <set>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "statestore/library/selection.h"
#include "statestore/storage/segment_codec.h"

namespace statelib::library {

namespace {

/// A folder among the system's temporary files that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string path = (std::filesystem::temp_directory_path() / "statelib-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) ThrowErrno("cannot make the folder", path, errno);
    path_ = path;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Errors: kInvalidArgument for what ExportRecoded cannot take.
void CheckOneVersionEach(const Selection& selection,
                         std::span<const storage::ResolvedState> states) {
  std::set<std::pair<std::string, std::string>> seen;
  for (const storage::ResolvedState& state : states) {
    const auto& reference = state.reference;
    if (!reference) {
      Throw(ErrorKind::kInvalidArgument,
            "{}: a state without a name cannot be stored otherwise on its way; give it one with "
            "`statelib cp`",
            state.state.id.ShortHex());
    }
    if (selection.all_versions || !seen.emplace(reference->name, reference->tag).second) {
      Throw(ErrorKind::kInvalidArgument,
            "{}: a lossy codec takes one version of a name; name one, or leave out --codec",
            reference->Text());
    }
  }
}

/// Lets the forms that models came with count before the cards beside their files.
void KeepPromptForms(Library& library) {
  storage::IndexModels& models = library.repository().index().models();
  for (storage::ModelRow& row : models.All()) {
    row.prompt = row.card;
    models.Put(row);
  }
}

}  // namespace

std::vector<storage::ResolvedState> ResolveAll(const Library& library, const Selection& selection) {
  std::vector<std::string> names;
  for (const std::string& name : selection.names) {
    if (!IsPattern(name)) {
      names.push_back(name);
      continue;
    }
    for (const storage::Reference& reference : Select(library, {name}, Tags::kEvery))
      names.push_back(reference.Text());
  }
  std::vector<storage::ResolvedState> states;
  for (const std::string& name : names) {
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

RecodedExport ExportRecoded(
    const Library& library, const Selection& selection, const std::filesystem::path& file,
    const storage::ExportOptions& options, const CodecRequest& codec,
    const std::function<const LoadedModel&(const storage::ResolvedState&)>& model_of) {
  CheckOneVersionEach(selection, ResolveAll(library, selection));
  const TemporaryFolder folder;
  const auto exact = folder.path() / "exact.statelib";
  Export(library, selection, exact, {.manifest = {}, .key = nullptr, .control = options.control});
  Library copy = Library::Open(folder.path() / "library", Library::Access::kCreate);
  storage::BundleFile bundle = storage::BundleFile::Open(exact);
  const storage::ImportReport imported =
      storage::ImportBundle(copy.repository(), bundle, "export", {}, library.now_ms());
  std::filesystem::remove(exact);
  KeepPromptForms(copy);
  RecodedExport result;
  Selection recoded;
  for (const storage::ImportedReference& state : imported.references) {
    const storage::Reference target{state.reference.name, state.reference.tag, std::nullopt};
    recoded.names.push_back(target.Text());
    if (!ChangesState(state.state, codec.codec)) continue;
    const storage::ResolvedState base = copy.repository().Resolve(state.reference);
    result.recoded.push_back(Recode(copy, model_of(base), base, target, codec));
  }
  result.report = Export(copy, recoded, file, options);
  return result;
}

void ReserveName(Library& library, const storage::BundleManifest& manifest,
                 const ModelPlace& embedded, storage::ImportOptions* options) {
  for (const storage::BundleManifest::Model& model : manifest.models) {
    if (embedded.name.empty() || model.name != embedded.name || options->dry_run) continue;
    if (library.repository().index().models().Find(model.identity.fingerprint)) continue;
    options->reserved_name = {embedded.name, FingerprintAt(library, embedded)};
    return;
  }
}

BundleReport Import(Library& library, storage::BundleFile& bundle, const std::string& source_name,
                    KeyRing& keys, const SignerPolicy& policy, storage::ImportOptions options,
                    const ModelPlace& embedded) {
  BundleReport report;
  report.signer = JudgeSigner(keys, bundle.signer(), policy);
  if (!options.dry_run) RequireAccepted(report.signer, bundle.location());
  ReserveName(library, bundle.manifest(), embedded, &options);
  report.import = storage::ImportBundle(library.repository(), bundle, Escaped(source_name), options,
                                        library.now_ms());
  if (!options.dry_run) RememberSigner(keys, report.signer, policy);
  return report;
}

}  // namespace statelib::library
