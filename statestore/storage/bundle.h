// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_BUNDLE_H_
#define STATELIB_STATESTORE_STORAGE_BUNDLE_H_

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/spool.h"
#include "statestore/storage/import.h"
#include "statestore/storage/manifest.h"
#include "statestore/storage/repository.h"

// A bundle carries states between machines in one file: a signed manifest (manifest.h), then the
// objects' files back to back in the manifest's order, then a BLAKE2b-256 over everything before
// it. Equal exports are equal bytes.
namespace statelib::storage {

struct ExportOptions {
  ManifestOptions manifest;
  const SigningKey* key = nullptr;  ///< null: the bundle is not signed
  TransferControl control;
};

struct ExportReport {
  uint64_t states = 0;
  uint64_t objects = 0;
  uint64_t file_bytes = 0;
};

/// Writes references, the states that they name, the states' histories and their lineage to one
/// file, as AtomicFile does. Memory: one block. Errors: those of OutgoingManifest::Build,
/// ObjectStore and AtomicFile.
ExportReport ExportBundle(const Repository& repository, std::span<const ResolvedState> states,
                          FileSystem& files, const std::filesystem::path& path,
                          const ExportOptions& options = {});

/// A bundle file that is being read. One thread.
class BundleFile : public ImportSource {
 public:
  /// Reads and checks the manifest and its signature. Errors: kNotFound, kIo, kCorrupt,
  /// kUnsupported.
  static BundleFile Open(const std::filesystem::path& path);
  /// The same of a bundle that came as a stream. `location` is what messages call it.
  static BundleFile Open(std::unique_ptr<ByteSpool> spool, const std::string& location);

  const BundleManifest& manifest() const override { return signed_.manifest; }
  const std::string& location() const override { return location_; }
  std::unique_ptr<const ByteSource> OpenObject(size_t i) override;
  uint64_t file_bytes() const { return file_->size(); }
  /// Whose genuine signature the bundle carries; empty: nobody's.
  std::optional<PublicKey> signer() const;

  /// Reads the whole file: the hash over it, then VerifyObjects. Errors: those of VerifyObjects.
  void Verify(Admission& admission, const TransferControl& control = {});

  /// The hash over the file, as Verify found it.
  const Digest& digest() const { return digest_; }

 private:
  BundleFile() = default;
  void ReadManifest();

  std::string location_;
  std::unique_ptr<const ByteSource> file_;  // or what came as a stream
  Digest digest_;
  SignedManifest signed_;
  std::vector<uint64_t> offsets_;  // of the objects, and then of the trailer
};

/// Takes a bundle that comes as a stream, as from a pipe. What it may take is bounded by what the
/// manifest says, which comes first. One thread.
class BundleSpool {
 public:
  explicit BundleSpool(std::string location) : location_(std::move(location)) {}

  /// Errors: those of reading a manifest; kCorrupt for bytes behind the bundle's end; kIo.
  void Append(ByteSpan bytes);
  /// Errors: those of BundleFile::Open.
  BundleFile Finish() &&;

 private:
  void ReadEnd();

  std::string location_;
  std::unique_ptr<ByteSpool> spool_ = std::make_unique<ByteSpool>();
  Bytes manifest_;               // its first bytes, until it is whole
  std::optional<uint64_t> end_;  // how many bytes the bundle has, once that is known
};

/// Verifies a bundle whole and then imports its objects. `source_name` is what lineage will call
/// the file. Errors: those of BundleFile::Verify and ImportObjects; then nothing is visible.
ImportReport ImportBundle(Repository& repository, BundleFile& bundle,
                          const std::string& source_name, const ImportOptions& options,
                          int64_t now_ms);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_BUNDLE_H_
