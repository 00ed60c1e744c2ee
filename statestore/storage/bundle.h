// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_BUNDLE_H_
#define STATELIB_STATESTORE_STORAGE_BUNDLE_H_

#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "statestore/storage/message_codec.h"
#include "statestore/storage/repository.h"

// A bundle carries states between machines in one file: head (container.h) with a BundleManifest,
// then the objects' files back to back in the manifest's order, then a BLAKE2b-256 over everything
// before it. Equal exports are equal bytes.
namespace statelib::storage {

struct ExportReport {
  uint64_t states = 0;
  uint64_t objects = 0;
  uint64_t file_bytes = 0;
};

/// Writes references, the states that they name, the states' histories and their lineage to one
/// file, which appears whole or not at all. Memory: one object. Errors: kInvalidArgument for a
/// state that is not named by a reference; those of ObjectStore.
ExportReport ExportBundle(const Repository& repository, std::span<const ResolvedState> states,
                          FileSystem& files, const std::filesystem::path& path,
                          const CancelFlag* cancel = nullptr);

/// A bundle file that is being read. Nothing in it is trusted. One thread.
class BundleFile {
 public:
  /// Reads and checks head and manifest. Errors: kNotFound, kIo, kCorrupt, kUnsupported.
  static BundleFile Open(const std::filesystem::path& path);

  const BundleManifest& manifest() const { return manifest_; }
  const std::string& where() const { return where_; }
  uint64_t file_bytes() const { return file_bytes_; }

  /// Reads the whole file and checks everything that can be checked: the hash over the file, every
  /// object's id, every frame, content digest and history, and that whatever refers to an object,
  /// a model or a derivation refers to one of the bundle. Memory: one object.
  /// Errors: kCorrupt, kUnsupported, kIo, kCancelled.
  void Verify(const CancelFlag* cancel = nullptr);

  /// The hash over the file, as Verify found it.
  const Digest& digest() const { return digest_; }

  /// The i-th object of the manifest, its id checked. Errors: kCorrupt, kIo.
  EncodedObject ReadObject(size_t i);

 private:
  BundleFile() = default;
  Bytes ReadAt(uint64_t offset, uint64_t size);

  std::string where_;
  std::ifstream file_;
  uint64_t file_bytes_ = 0;
  Bytes head_;
  Digest digest_;
  BundleManifest manifest_;
  std::vector<uint64_t> offsets_;  // of the objects, and then of the trailer
};

struct ImportOptions {
  bool dry_run = false;
  const CancelFlag* cancel = nullptr;
};

struct ImportedReference {
  Reference reference;  ///< with the version that it got
  StateRow state;
  std::string model_name;       ///< as the bundle calls it; may be empty
  bool stored_before = false;   ///< the library held this state already
  bool version_before = false;  ///< the reference named it already
};

struct ImportReport {
  std::vector<ImportedReference> references;
  uint64_t objects_added = 0;
  uint64_t objects_present = 0;
  uint64_t bytes_added = 0;
};

/// Verifies a bundle whole, then stores its objects and then, in one transaction, makes its states
/// the newest versions of their references; what those named before stays as older versions. With
/// dry_run it stops after saying what it would do. `source_name` is what lineage will call the
/// file. Errors: those of BundleFile::Verify, ObjectStore and Database; then nothing is visible.
ImportReport ImportBundle(Repository& repository, BundleFile& bundle,
                          const std::string& source_name, const ImportOptions& options,
                          int64_t now_ms);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_BUNDLE_H_
