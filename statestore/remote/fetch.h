// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_REMOTE_FETCH_H_
#define STATELIB_STATESTORE_REMOTE_FETCH_H_

#include <string>
#include <vector>

#include "statestore/remote/remote.h"
#include "statestore/storage/repository.h"

namespace statelib::remote {

/// Brings an object of a remote into a library's store, where nothing names it yet; nothing
/// happens when it is there and sound. What a transfer that was cut off had brought is gone on
/// with. Only bytes with the right hash get in. The caller holds the write lease. Memory: constant.
/// Returns the bytes that travelled. Errors: kCorrupt when the remote has other bytes; those
/// of Remote and ObjectStore.
uint64_t FetchObject(storage::Repository& repository, Remote& remote, const TransferObject& object,
                     const storage::TransferControl& control = {});

/// The objects of a manifest once they are in a library's store. One thread.
class FetchedObjects : public storage::ImportSource {
 public:
  FetchedObjects(const storage::Repository& repository, storage::BundleManifest manifest,
                 std::string location)
      : repository_(repository), manifest_(std::move(manifest)), location_(std::move(location)) {}

  const storage::BundleManifest& manifest() const override { return manifest_; }
  const std::string& location() const override { return location_; }
  std::unique_ptr<const ByteSource> OpenObject(size_t i) override;

 private:
  const storage::Repository& repository_;
  storage::BundleManifest manifest_;
  std::string location_;
};

}  // namespace statelib::remote

#endif  // STATELIB_STATESTORE_REMOTE_FETCH_H_
