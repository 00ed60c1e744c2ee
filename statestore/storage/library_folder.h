// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_LIBRARY_FOLDER_H_
#define STATELIB_STATESTORE_STORAGE_LIBRARY_FOLDER_H_

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "core/base/file_system.h"
#include "statestore/storage/file_lock.h"
#include "statestore/storage/index.h"
#include "statestore/storage/library_file.h"
#include "statestore/storage/library_files.h"

// A library's folder: what lies where, how it is made, and whether it and its index belong
// together (proto/FORMAT.md).
namespace statelib::storage {

/// The places in a library's folder.
struct LibraryPlaces {
  explicit LibraryPlaces(const std::filesystem::path& library)
      : folder(library),
        file(library / "library.toml"),
        index(library / "index.db"),
        unfinished_repair(library / "index.db.repairing"),
        objects(library / "objects"),
        records(library / "records"),
        temporaries(library / "tmp"),
        locks(library / "locks"),
        gate_lock(locks / "gate.lock"),
        objects_lock(locks / "objects.lock"),
        index_lock(locks / "index.lock") {}

  std::filesystem::path folder, file, index;
  /// While it is there, index.db and its log may not belong together: the library is refused.
  std::filesystem::path unfinished_repair;
  std::filesystem::path objects, records, temporaries, locks;
  std::filesystem::path gate_lock, objects_lock;
  /// Held shared by everybody who has the index open, alone by who makes it or puts another in its
  /// place.
  std::filesystem::path index_lock;
};

/// A library's index, which is its own, and the lock that keeps it in its place.
struct OpenedIndex {
  FileLock lock;
  LibraryIdentity identity;
  Index index;
  bool writable = false;
};

/// Opens the index of a library, for writing if `wants_writing`; else for reading where it cannot
/// be written. Empty where there is no library, or only the beginning of one that holds nothing.
/// Errors: kInvalidArgument when the folder holds something else; kCorrupt where objects or records
/// are there and the index is not, or is not theirs, or a repair has not ended, and then nothing
/// has been changed; those of Index and Wait.
std::optional<OpenedIndex> OpenIndexOf(FileSystem& files, const LibraryPlaces& places,
                                       bool wants_writing, const Waits& waits = {});

/// The same without the lock, by somebody who holds it, where there is an index.db.
std::optional<std::pair<LibraryIdentity, Index>> FindIndexOf(FileSystem& files,
                                                             const LibraryPlaces& places,
                                                             Database::Mode mode,
                                                             const Waits& waits = {});

/// Makes an empty library, or what is missing of one that is empty. A folder that is not there or
/// empty gets the permissions that `sharing` says; what is made in it follows it. Several processes
/// may do so at once. Errors: kInvalidArgument, kCorrupt as above; kIo; those of Wait.
void MakeLibrary(FileSystem& files, const LibraryPlaces& places, Sharing sharing,
                 const Waits& waits = {});

/// Whether objects/ or records/ holds a file.
bool HoldsAnything(FileSystem& files, const LibraryPlaces& places);

/// What library.toml says; empty where it is not there. Errors: those of ParseLibraryFile.
std::optional<LibraryFile> ReadLibraryFile(FileSystem& files, const LibraryPlaces& places);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_LIBRARY_FOLDER_H_
