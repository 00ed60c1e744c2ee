// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_REMOTE_BLOB_REMOTE_H_
#define STATELIB_STATESTORE_REMOTE_BLOB_REMOTE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "statestore/remote/remote.h"

namespace statelib::remote {

/// A place that keeps bytes under paths like "objects/ab/abcd…" and knows nothing of states. One
/// thread. Errors: those of Remote.
class BlobStore {
 public:
  virtual ~BlobStore() = default;

  virtual const std::string& location() const = 0;
  /// Empty when there is nothing of that path.
  virtual std::optional<uint64_t> Size(const std::string& path) = 0;
  /// The bytes from `offset` on. Errors: also kNotFound.
  virtual void Read(const std::string& path, uint64_t offset, const Sink& sink) = 0;
  /// Puts bytes in place whole and durably; what was there is replaced.
  virtual void Write(const std::string& path, const ByteSource& bytes) = 0;
  /// The same where nothing is there; false, and nothing has changed, when something is.
  virtual bool WriteNew(const std::string& path, ByteSpan bytes) = 0;
  /// The names in a folder, sorted.
  virtual std::vector<std::string> List(const std::string& folder) = 0;
  virtual void Remove(const std::string& path) = 0;
};

/// A remote in a store that can do nothing but keep bytes (proto/FORMAT.md, "A remote folder").
///
/// Publishing is a compare-and-swap: the catalogue is catalogues/N for the highest N, and a new one
/// is written as N + 1 only if that is not there yet. The second writer reads the first one's
/// catalogue and adds to it.
class BlobRemote : public Remote {
 public:
  explicit BlobRemote(std::unique_ptr<BlobStore> store) : store_(std::move(store)) {}

  const std::string& location() const override { return store_->location(); }
  std::vector<RemoteVersion> List() override;
  Bytes GetManifest(const RemoteVersion& version) override;
  std::vector<bool> HasObjects(std::span<const TransferObject> objects) override;
  void GetObject(const TransferObject& object, uint64_t offset, const Sink& sink) override;
  void PutObject(const TransferObject& object, const ByteSource& bytes) override;
  bool Publish(std::span<const Publication> publications, int64_t now_ms) override;

 private:
  struct Catalogue {
    uint64_t number = 0;  ///< 0: there is none
    std::vector<RemoteVersion> versions;
  };
  Catalogue ReadCatalogue();
  std::vector<uint64_t> CatalogueNumbers();
  Bytes ReadWhole(const std::string& path, uint64_t bytes_max);
  void Prepare();

  std::unique_ptr<BlobStore> store_;
};

}  // namespace statelib::remote

#endif  // STATELIB_STATESTORE_REMOTE_BLOB_REMOTE_H_
