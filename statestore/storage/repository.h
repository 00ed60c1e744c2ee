// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_REPOSITORY_H_
#define STATELIB_STATESTORE_STORAGE_REPOSITORY_H_

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/base/file_system.h"
#include "statestore/storage/file_lock.h"
#include "statestore/storage/index.h"
#include "statestore/storage/object_store.h"
#include "statestore/storage/reference.h"

namespace statelib::storage {

/// A state that a text named, and how.
struct ResolvedState {
  StateRow state;
  std::optional<Reference> reference;  ///< with its version number; empty when named by id
  std::optional<int64_t> derivation;   ///< key; empty when named by id
};

/// A library's folder: index.db and objects/, joined (proto/FORMAT.md). Several processes may use
/// one folder at once; a Repository belongs to one thread. Move-only.
///
/// Writers hold WriteLease() from their first object to the commit of the row that names it, and gc
/// holds GcLease() alone, so that no object is taken for garbage while it waits for its row.
class Repository {
 public:
  enum class Access {
    kCreate,  ///< makes the library if there is none
    kWrite,
    kRead,  ///< works on a medium or in a folder that cannot be written, too
  };

  /// Errors: kNotFound; kInvalidArgument when the folder holds something else; kUnsupported for a
  /// library of a newer version; kCorrupt for a damaged index; kIo.
  static Repository Open(const std::filesystem::path& path, Access access,
                         FileSystem& files = FileSystem::Real());

  const std::filesystem::path& path() const { return path_; }
  /// False when it was opened for reading and the folder cannot be written.
  bool writable() const { return writable_; }
  Index& index() { return *index_; }
  const Index& index() const { return *index_; }
  ObjectStore& objects() { return *objects_; }
  const ObjectStore& objects() const { return *objects_; }

  FileLock WriteLease() const;
  FileLock ReadLease() const;
  FileLock GcLease() const;
  /// The same where nobody holds a lease at this moment.
  std::optional<FileLock> TryGcLease() const;

  /// The state that NAME[:TAG][@N], or the first 6 or more hexadecimal digits of an id, names. A
  /// reference goes before an id. Errors: kInvalidArgument for text that is neither or an id of
  /// several states; kNotFound with the nearest names.
  ResolvedState Resolve(const std::string& text) const;
  /// The same by reference alone.
  ResolvedState Resolve(const Reference& reference) const;
  [[noreturn]] void ThrowUnknown(const Reference& reference) const;

 private:
  Repository(std::filesystem::path path, bool writable, FileSystem& files, Index index);

  std::filesystem::path path_;
  bool writable_ = false;
  std::unique_ptr<Index> index_;
  std::unique_ptr<ObjectStore> objects_;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_REPOSITORY_H_
