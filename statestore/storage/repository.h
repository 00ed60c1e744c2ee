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
#include "statestore/storage/library_files.h"
#include "statestore/storage/library_folder.h"
#include "statestore/storage/moment.h"
#include "statestore/storage/object_store.h"
#include "statestore/storage/reference.h"

namespace statelib::storage {

/// A state that a text named, and how.
struct ResolvedState {
  StateRow state;
  std::optional<Reference> reference;  ///< with its version number; empty when named by id
  std::optional<int64_t> derivation;   ///< key; empty when named by id
};

using Lease = std::shared_ptr<const FileLock>;

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

  /// Whatever is waited for here, locks and the index, is waited for as `waits` says. Errors: those
  /// of Wait; kNotFound; kInvalidArgument when the folder holds something else; kUnsupported for a
  /// library of a newer version; kIo; kCorrupt for an index that is damaged, that is not there
  /// while objects or records are, or that is another library's: then nothing has been changed.
  static Repository Open(const std::filesystem::path& path, Access access,
                         FileSystem& files = FileSystem::Real(), const Waits& waits = {});
  /// Makes a library where there is none, and opens it; Open() makes a private one. Errors:
  /// kInvalidArgument where there is one; those of Open().
  static Repository Init(const std::filesystem::path& path, Sharing sharing,
                         FileSystem& files = FileSystem::Real());

  /// Whether a folder holds a library, be it sound or not.
  static bool IsAt(const std::filesystem::path& path, FileSystem& files = FileSystem::Real());

  const std::filesystem::path& path() const { return places_.folder; }
  const LibraryPlaces& places() const { return places_; }
  const LibraryIdentity& identity() const { return identity_; }
  /// False when it was opened for reading and the folder cannot be written.
  bool writable() const { return writable_; }
  const Waits& waits() const { return waits_; }
  /// For everything in the library's folder.
  FileSystem& files() const { return *files_; }
  Index& index() { return *index_; }
  const Index& index() const { return *index_; }
  ChangeLog records() const;
  ObjectStore& objects() { return *objects_; }
  const ObjectStore& objects() const { return *objects_; }

  /// Keeps gc away while objects are written or read. Writing and reading go on side by side; a
  /// lease that this repository holds already is taken once more. Errors: those of Wait.
  Lease WriteLease() const;
  /// The same; empty where the library lies on a medium that nobody can write.
  Lease ReadLease() const;
  /// Waits until nobody holds a lease and keeps everybody waiting from the moment that it is asked
  /// for, so that it is had however many come and go. Call it without a lease. Errors: those of
  /// Wait.
  Lease GcLease() const;
  /// The same where nobody holds a lease at this moment, else empty.
  Lease TryGcLease() const;

  /// Whether the objects that a state's values lie in are there and undamaged. Reads all of them.
  bool IsSound(const StateRow& state) const;

  /// The state that NAME[:TAG][@N], NAME[:TAG]@{MOMENT} (moment.h) or the first 6 or more
  /// hexadecimal digits of an id name. A reference goes before an id. Errors: kInvalidArgument for
  /// text that is none of these or an id of several states; kNotFound with the nearest names.
  ResolvedState Resolve(const std::string& text, int64_t now_ms = UnixMilliseconds()) const;
  /// The same by reference alone.
  ResolvedState Resolve(const Reference& reference) const;
  /// What a reference named at a moment. Errors: kNotFound also when it was not there yet.
  ResolvedState ResolveAt(const Reference& reference, int64_t moment_ms) const;
  [[noreturn]] void ThrowUnknown(const Reference& reference) const;

 private:
  Repository(LibraryPlaces places, FileSystem& files, const Waits& waits, OpenedIndex opened);

  LibraryPlaces places_;
  FileLock index_lock_;  // released after the index is closed
  LibraryIdentity identity_;
  bool writable_ = false;
  Waits waits_;
  std::unique_ptr<LibraryFiles> files_;
  mutable std::weak_ptr<const FileLock> held_;  // the lease that is out, shared by all that ask
  std::unique_ptr<Index> index_;
  std::unique_ptr<ObjectStore> objects_;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_REPOSITORY_H_
