// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_IMPORT_H_
#define STATELIB_STATESTORE_STORAGE_IMPORT_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/byte_source.h"
#include "core/base/cancel.h"
#include "statestore/storage/admission.h"
#include "statestore/storage/message_codec.h"
#include "statestore/storage/repository.h"

// How states from outside come into a library, whether a bundle file or a remote brings them.
namespace statelib::storage {

/// A manifest and the objects that it names. Nothing in it is trusted. One thread.
class ImportSource {
 public:
  virtual ~ImportSource() = default;
  virtual const BundleManifest& manifest() const = 0;
  virtual const std::string& location() const = 0;  ///< for messages
  /// The i-th object of the manifest to be read by ranges, as long as this object lives. Its hash
  /// is NOT checked. Errors: kCorrupt, kNotFound, kIo.
  virtual std::unique_ptr<const ByteSource> OpenObject(size_t i) = 0;
};

/// How long work goes on and when it stops.
struct TransferControl {
  const CancelFlag* cancel = nullptr;
  std::function<void(uint64_t bytes_done, uint64_t bytes_total)> on_progress;

  void Check() const {
    if (cancel != nullptr) cancel->Check();
  }
  void Report(uint64_t done, uint64_t total) const {
    if (on_progress) on_progress(done, total);
  }
};

/// Checks everything that can be checked of every object: its id, that a state is admitted before
/// any of its frames is touched, every frame, content digest and history, and that whatever refers
/// to an object or a model refers to one of the manifest. Memory: at most 64 MiB, however large
/// the objects are. Errors: those of Admission; kCorrupt, kUnsupported, kIo, kCancelled.
void VerifyObjects(ImportSource& source, Admission& admission, const TransferControl& control = {});

/// What the names in a manifest become.
enum class ImportNaming {
  kMakeCurrent,   ///< the newest version of each name becomes the current one
  kOnlyWhatIsNew  ///< a state that the name has had already changes nothing
};

struct ImportOptions {
  bool dry_run = false;
  ImportNaming naming = ImportNaming::kMakeCurrent;
  std::string name_prefix{};  ///< put before every name, as "share/"; may be empty
  uint64_t max_state_bytes = Admission::kStateBytesMax;  ///< see Admission
  /// A name that only the model of this fingerprint may have, whether the library knows it or not.
  std::optional<std::pair<std::string, Digest>> reserved_name = {};
  TransferControl control{};
};

struct ImportedReference {
  Reference reference;  ///< with the version that it got
  StateRow state;
  std::string model_name;       ///< as the manifest calls it; may be empty
  bool stored_before = false;   ///< the library held this state already
  bool version_before = false;  ///< the reference named it already
  /// The version that the reference named before, where this one does not go on from it: neither
  /// is it in the manifest nor does any lineage there lead to it. It stays as an older version.
  std::optional<uint64_t> superseded = {};
};

/// A model that could not keep the name that it has where the states come from.
struct RenamedModel {
  std::string from;
  std::string to;

  bool operator==(const RenamedModel&) const = default;
};

struct ImportReport {
  std::vector<ImportedReference> references;
  std::vector<RenamedModel> renamed_models;
  uint64_t objects_added = 0;
  uint64_t objects_present = 0;
  uint64_t bytes_added = 0;
};

/// Takes what VerifyObjects has found sound: stores the objects that are wanted and then, in one
/// transaction, makes the states new versions of their references; what those named before stays
/// as older versions. A name in the manifest counts as having had its states, also where it comes
/// in under a prefix. With dry_run it stops after saying what it would do. `origin` is what lineage
/// will call the source. Errors: those of ObjectStore and Database; then nothing is visible.
ImportReport ImportObjects(Repository& repository, ImportSource& source, const SourceRecord& origin,
                           const ImportOptions& options, int64_t now_ms);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_IMPORT_H_
