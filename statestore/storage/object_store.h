// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_OBJECT_STORE_H_
#define STATELIB_STATESTORE_STORAGE_OBJECT_STORE_H_

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>

#include "core/base/byte_source.h"
#include "core/base/file_system.h"
#include "core/base/mapped_file.h"
#include "statestore/storage/records.h"

namespace statelib::storage {

/// The immutable files of a library, each named by the hash of its bytes: objects/ab/abcd….
/// Thread-safe; several processes may use one folder. A process that puts objects holds the
/// library's write lease (repository.h) until a row names them, for what no row names is garbage.
class ObjectStore {
 public:
  using Path = std::filesystem::path;

  /// Makes no folder and looks at none.
  ObjectStore(FileSystem& files, Path objects, Path temporaries);

  /// Stores an object durably; returns whether it had to be written. One that is there already is
  /// left alone if it is sound and replaced if it is damaged. Errors: kIo.
  bool Put(const EncodedObject& object);
  /// The same of bytes from elsewhere, which are read in blocks. Errors: also kCorrupt when their
  /// hash is not the id; those of ByteSource.
  bool Put(const ObjectId& id, const ByteSource& bytes);
  /// The whole object, its hash checked. Errors: kCorrupt with expected and found hash, or with
  /// advice when it is missing or no file: the caller has been told that it is here.
  Bytes Get(const ObjectId& id) const;
  /// The object to be read by ranges, its hash checked or not. Errors: as Get().
  std::unique_ptr<const ByteSource> Open(const ObjectId& id) const;
  std::unique_ptr<const ByteSource> OpenUnchecked(const ObjectId& id) const;
  /// Get() and Open() as functions, which must not outlive this object: the one reads a file once
  /// and keeps it in memory, the other reads it twice and keeps nothing.
  std::function<std::unique_ptr<const ByteSource>(const ObjectId& id)> Getter() const {
    return [this](const ObjectId& id) { return MemorySource::Keep(Get(id)); };
  }
  std::function<std::unique_ptr<const ByteSource>(const ObjectId& id)> Opener() const {
    return [this](const ObjectId& id) { return Open(id); };
  }
  /// The two halves of Get(), for a reader that works on the bytes while another thread checks
  /// them: nothing that came of them may be used before CheckIs() has returned.
  Bytes GetUnchecked(const ObjectId& id) const;
  void CheckIs(const ObjectId& id, ByteSpan bytes) const;
  /// The object's file in memory, its hash NOT checked: for readers that check the parts they use.
  MappedFile Map(const ObjectId& id) const;
  bool Exists(const ObjectId& id) const;  ///< as a file; a folder or a pipe of its name is none
  /// Whether the object is there and its bytes have its hash. Reads all of it.
  bool IsSound(const ObjectId& id) const;
  uint64_t StoredBytes(const ObjectId& id) const;  ///< Errors: as Get()
  void Remove(const ObjectId& id);
  /// Calls back for every object's file, in order of ids; whatever else lies there is skipped.
  void ForEach(const std::function<void(const ObjectId& id, uint64_t stored_bytes)>& visit) const;
  /// Calls back for everything under objects/ that is no file named like an object, and for folders
  /// among the temporaries: none of it is ours, and it is left alone.
  void ForEachStranger(const std::function<void(const Path& file)>& visit) const;

  /// The files that unfinished writes left. Only sound while no other process writes.
  std::vector<Path> Temporaries() const;
  void RemoveTemporary(const Path& file);

  Path PathOf(const ObjectId& id) const;

 private:
  bool IsStored(const ObjectId& id);
  void Write(const ObjectId& id, const std::function<void(WritableFile& file)>& fill);
  void CheckFound(const ObjectId& id, const Digest& found, uint64_t size_bytes) const;
  Path PlaceOf(const ObjectId& id) const;
  void ForEachFolder(const std::function<void(const Path& folder)>& visit) const;
  bool IsObjectFile(const Path& file) const;

  FileSystem& files_;
  Path objects_;
  Path temporaries_;
  // Temporary names are nobody else's, not those of a killed process of the same number either.
  std::string writer_;
  std::atomic<uint64_t> written_ = 0;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_OBJECT_STORE_H_
