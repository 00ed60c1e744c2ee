// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_MANIFEST_H_
#define STATELIB_STATESTORE_STORAGE_MANIFEST_H_

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/base/signature.h"
#include "statestore/storage/message_codec.h"
#include "statestore/storage/repository.h"

// What says what is carried, in a bundle and between a library and a remote alike: head
// (file_head.h) with a BundleManifest, then who signed it (proto/FORMAT.md). It names every object
// by its hash, so that its signature covers them too.
namespace statelib::storage {

/// A manifest whose parts agree with each other, and whose signature, if it has one, is genuine:
/// made by that key for this manifest. Whether the key is trusted is for others to say.
struct SignedManifest {
  BundleManifest manifest;
  Digest id;  ///< over head and header: what was signed
  std::optional<Signature> signature;
};

Bytes EncodeManifest(const BundleManifest& manifest, const SigningKey* key);

/// How long an encoded manifest is, as far as its first bytes tell: ask again with so many until
/// the answer does not grow. Errors: as DecodeManifest.
uint64_t ManifestBytes(ByteSpan first_bytes, const std::string& location);

/// Reads ManifestBytes() bytes. Errors: kCorrupt, also for a signature that is not genuine;
/// kUnsupported for another format version.
SignedManifest DecodeManifest(ByteSpan bytes, const std::string& location);

/// What a manifest is to tell.
struct ManifestOptions {
  bool lineage = true;  ///< false: only how each state itself came to be, not its ancestors
  bool sources = true;  ///< names, sizes and hashes of the documents
  bool tokens = true;   ///< false: what was read stays out; its length and hash chain remain
};

/// A manifest of things that a library holds, and how its objects are got from there.
class OutgoingManifest {
 public:
  /// Errors: kInvalidArgument for a state that is not named by a reference; kNotFound; kCorrupt.
  /// The repository outlives the object; the caller holds a lease on it.
  static OutgoingManifest Build(const Repository& repository, std::span<const ResolvedState> states,
                                const ManifestOptions& options);

  const BundleManifest& manifest() const { return manifest_; }
  /// The i-th object to be read by ranges, its hash checked. Errors: those of ObjectStore.
  std::unique_ptr<const ByteSource> OpenObject(size_t i) const;

 private:
  friend class ManifestBuilder;
  explicit OutgoingManifest(const Repository& repository) : repository_(&repository) {}

  const Repository* repository_;
  BundleManifest manifest_;
  std::map<StateId, StateId> stored_as_;  // a state without its tokens -> the one with them
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_MANIFEST_H_
