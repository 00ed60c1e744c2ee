// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/library_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "statestore/storage/reference.h"
#include "statestore/storage/reserve.h"

namespace statelib::storage {

namespace {

using Path = std::filesystem::path;

constexpr const char* kFolders[] = {"objects", "records", "tmp", "locks"};
constexpr const char* kBeginnings[] = {"index.db", "library.toml"};

bool IsOurs(const Path& name) {
  return std::any_of(std::begin(kBeginnings), std::end(kBeginnings),
                     [&](const char* begin) { return name.string().starts_with(begin); }) ||
         std::find(std::begin(kFolders), std::end(kFolders), name) != std::end(kFolders);
}

/// A folder may become a library when it is not there, is empty, or holds what a creation that was
/// cut off had made.
void CheckMayBecomeLibrary(FileSystem& files, const LibraryPlaces& places) {
  const Path& path = places.folder;
  if (files.Exists(path) && !std::filesystem::is_directory(path)) {
    Throw(ErrorKind::kInvalidArgument, "{}: expected the folder of a library, found a file",
          path.string());
  }
  for (const Path& name : files.List(path)) {
    if (IsOurs(name)) continue;
    Throw(ErrorKind::kInvalidArgument,
          "{}: not a statelib library: it holds {} and no index.db; choose an empty folder",
          path.string(), Escaped(name.string()));
  }
}

bool HoldsFiles(FileSystem& files, const Path& folder) {
  if (!std::filesystem::is_directory(folder)) return false;
  for (const Path& name : files.List(folder)) {
    const Path inside = folder / name;
    if (!std::filesystem::is_directory(inside) || !files.List(inside).empty()) return true;
  }
  return false;
}

/// SQLite writes the first page of a new index before anything else.
bool HasBytes(FileSystem& files, const Path& index) {
  return files.Exists(index) && files.FileSize(index) > 0;
}

[[noreturn]] void ThrowDamaged(const LibraryPlaces& places, const std::string& what) {
  Throw(
      ErrorKind::kCorrupt,
      "{}: {}, but objects or records are there; nothing was changed: `statelib repair` builds the "
      "index again",
      places.folder.string(), what);
}

/// Errors: kCorrupt while a repair puts its index in the place of the old one, or was killed there.
void CheckRepairIsOver(FileSystem& files, const LibraryPlaces& places) {
  if (!files.Exists(places.unfinished_repair)) return;
  Throw(ErrorKind::kCorrupt,
        "{}: a repair of its index has not ended; nothing was changed: if none is running, "
        "`statelib repair` ends it",
        places.folder.string());
}

/// Makes the folders that a backup of empty ones left out. Where that fails, the code that needs
/// one says so.
void MakeMissingFolders(FileSystem& files, const LibraryPlaces& places) {
  for (const char* folder : kFolders) {
    try {
      if (!files.Exists(places.folder / folder)) files.CreateDirectories(places.folder / folder);
    } catch (const Error&) {
    }
  }
}

/// errno of the first thing that keeps this process from writing; 0 when nothing does.
int WriteObstacle(const LibraryPlaces& places) {
  for (const Path& place : {places.folder, places.index, places.objects, places.temporaries}) {
    if (::access(place.c_str(), W_OK) != 0 && errno != ENOENT) return errno;
  }
  return 0;
}

/// One that is there and empty gets the permissions too, unless it is somebody else's.
void MakeFolder(FileSystem& files, const Path& path, mode_t permissions) {
  if (!files.List(path).empty()) return;
  const Path folder = path.has_filename() ? path : path.parent_path();
  if (folder.has_parent_path()) files.CreateDirectories(folder.parent_path());
  files.CreateDirectories(path, permissions);
  if (::chmod(path.c_str(), permissions) != 0 && errno != EPERM)
    ThrowErrno("cannot set the permissions of", path.string(), errno);
}

FileLock LockIndex(const LibraryPlaces& places, bool can_write, const Waits& waits) {
  if (!can_write) return FileLock::AcquireForReading(places.index_lock, waits);
  return FileLock::Acquire(places.index_lock, FileLock::Mode::kShared, waits);
}

}  // namespace

bool HoldsAnything(FileSystem& files, const LibraryPlaces& places) {
  return HoldsFiles(files, places.objects) || HoldsFiles(files, places.records);
}

std::optional<LibraryFile> ReadLibraryFile(FileSystem& files, const LibraryPlaces& places) {
  if (!files.Exists(places.file)) return std::nullopt;
  const Bytes text = files.ReadFile(places.file, kLibraryFileBytesMax);
  return ParseLibraryFile(AsText(text), places.file.string());
}

std::optional<std::pair<LibraryIdentity, Index>> FindIndexOf(FileSystem& files,
                                                             const LibraryPlaces& places,
                                                             Database::Mode mode,
                                                             const Waits& waits) {
  const auto file = ReadLibraryFile(files, places);
  std::optional<LibraryIdentity> identity;
  if (file) identity = file->identity;
  std::optional<Index> index = Index::Find(places.index, mode, identity, waits);
  if (index) return std::pair(*identity, std::move(*index));
  if (HoldsAnything(files, places)) ThrowDamaged(places, "its index.db holds no library");
  return std::nullopt;
}

namespace {

std::optional<std::pair<LibraryIdentity, Index>> FindForReading(FileSystem& files,
                                                                const LibraryPlaces& places,
                                                                const Waits& waits) {
  try {
    return FindIndexOf(files, places, Database::Mode::kRead, waits);
  } catch (const Error& error) {
    // SQLite reads a WAL file's database only with a shared-memory file, which it cannot make
    // here. Without unfinished business in a WAL the file is whole by itself.
    std::error_code none;
    const uint64_t wal = std::filesystem::file_size(places.index.string() + "-wal", none);
    if (error.kind() != ErrorKind::kIo || (!none && wal > 0)) throw;
  }
  return FindIndexOf(files, places, Database::Mode::kFrozen, waits);
}

}  // namespace

std::optional<OpenedIndex> OpenIndexOf(FileSystem& files, const LibraryPlaces& places,
                                       bool wants_writing, const Waits& waits) {
  if (!HasBytes(files, places.index)) {
    CheckRepairIsOver(files, places);
    if (HoldsAnything(files, places)) {
      ThrowDamaged(places,
                   files.Exists(places.index) ? "its index.db is empty" : "there is no index.db");
    }
    if (files.Exists(places.folder)) CheckMayBecomeLibrary(files, places);
    return std::nullopt;
  }
  const int obstacle = WriteObstacle(places);
  if (obstacle != 0 && wants_writing)
    ThrowErrno("cannot write to the library", places.folder.string(), obstacle);
  LibraryFiles inside(files, places.folder);
  if (obstacle == 0) MakeMissingFolders(inside, places);
  FileLock lock = LockIndex(places, obstacle == 0, waits);
  CheckRepairIsOver(files, places);  // not before: one that is at work holds the lock
  auto found = obstacle == 0 ? FindIndexOf(files, places, Database::Mode::kWrite, waits)
                             : FindForReading(files, places, waits);
  if (!found) return std::nullopt;
  return OpenedIndex{std::move(lock), found->first, std::move(found->second), obstacle == 0};
}

void MakeLibrary(FileSystem& outside, const LibraryPlaces& places, Sharing sharing,
                 const Waits& waits) {
  CheckMayBecomeLibrary(outside, places);
  MakeFolder(outside, places.folder, FolderPermissions(sharing));
  LibraryFiles files(outside, places.folder);
  for (const char* folder : kFolders) files.CreateDirectories(places.folder / folder);
  files.SyncDirectory(places.folder);
  const FileLock lock = FileLock::Acquire(places.index_lock, FileLock::Mode::kExclusive, waits);
  CheckRepairIsOver(files, places);
  // Somebody else may have come here first, and written to it since.
  if (HasBytes(files, places.index) && HoldsAnything(files, places)) return;
  for (const Path& name : files.List(places.folder)) {
    // Of a creation that was cut off: nobody else is at it now.
    if (name.string().starts_with("library.toml.")) files.Remove(places.folder / name);
  }
  auto file = ReadLibraryFile(files, places);
  if (!file) {
    file = LibraryFile{RandomIdentity()};
    WriteFileAtomically(files, places.file, AsBytes(TextOf(*file)));
  }
  Index::Open(places.index, Database::Mode::kWrite, file->identity, waits);
  KeepReserve(files, places);
  files.SyncDirectory(places.folder);
}

}  // namespace statelib::storage
