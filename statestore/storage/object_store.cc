// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/object_store.h"

#include <utility>

#include "core/base/error.h"
#include "core/base/random_name.h"
#include "statestore/storage/limits.h"

namespace statelib::storage {

namespace {

bool IsFolder(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

}  // namespace

ObjectStore::ObjectStore(FileSystem& files, Path objects, Path temporaries)
    : files_(files),
      objects_(std::move(objects)),
      temporaries_(std::move(temporaries)),
      writer_(RandomName()) {}

ObjectStore::Path ObjectStore::PathOf(const ObjectId& id) const {
  const std::string name = id.Hex();
  return objects_ / name.substr(0, 2) / name;
}

/// Whether an object is there, sound and durable.
bool ObjectStore::IsStored(const ObjectId& id) {
  if (!IsSound(id)) return false;
  // Its writer may have died between the rename and the sync of the folder.
  files_.SyncDirectory(PathOf(id).parent_path());
  return true;
}

bool ObjectStore::Put(const EncodedObject& object) {
  if (IsStored(object.id)) return false;
  Write(object.id, [&](WritableFile& file) { file.Append(object.bytes); });
  return true;
}

bool ObjectStore::Put(const ObjectId& id, const ByteSource& bytes) {
  if (IsStored(id)) return false;
  Write(id, [&](WritableFile& file) {
    Hasher hasher;
    bytes.ForEachBlock([&](ByteSpan block) {
      hasher.Update(block);
      file.Append(block);
    });
    const Digest found = hasher.Finish();
    if (found == id) return;
    Throw(ErrorKind::kCorrupt, "object {}: its bytes have changed, their hash is {} now",
          id.ShortHex(), found.ShortHex());
  });
  return true;
}

void ObjectStore::Write(const ObjectId& id, const std::function<void(WritableFile& file)>& fill) {
  const Path path = PathOf(id);
  const Path temporary = temporaries_ / fmt::format("{}.{}.{}", id.ShortHex(), writer_, ++written_);
  try {
    const auto file = files_.Create(temporary);
    fill(*file);
    file->Sync();
    file->Close();
    if (!files_.Exists(path.parent_path())) {
      files_.CreateDirectories(path.parent_path());
      files_.SyncDirectory(objects_);
    }
    if (IsFolder(path)) {
      Throw(ErrorKind::kCorrupt,
            "{}: a folder lies where an object belongs; move it away and run the command again",
            path.string());
    }
    files_.Rename(temporary, path);
  } catch (...) {
    try {
      files_.Remove(temporary);
    } catch (const Error&) {
      // It may never have been created; the first error is the one to report.
    }
    throw;
  }
  files_.SyncDirectory(path.parent_path());
}

Bytes ObjectStore::Get(const ObjectId& id) const {
  Bytes bytes = GetUnchecked(id);
  CheckIs(id, bytes);
  return bytes;
}

Bytes ObjectStore::GetUnchecked(const ObjectId& id) const {
  return files_.ReadFile(PlaceOf(id), kObjectBytesMax);
}

std::unique_ptr<const ByteSource> ObjectStore::Open(const ObjectId& id) const {
  auto file = OpenUnchecked(id);
  CheckFound(id, HashOf(*file), file->size());
  return file;
}

std::unique_ptr<const ByteSource> ObjectStore::OpenUnchecked(const ObjectId& id) const {
  return std::make_unique<FileSource>(FileSource::Open(PlaceOf(id)));
}

void ObjectStore::CheckIs(const ObjectId& id, ByteSpan bytes) const {
  CheckFound(id, HashOf(bytes), bytes.size());
}

void ObjectStore::CheckFound(const ObjectId& id, const Digest& found, uint64_t size_bytes) const {
  if (found == id) return;
  Throw(ErrorKind::kCorrupt,
        "{}: damaged object: expected hash {}, found {} over {} bytes; run `statelib verify` to "
        "see what it belongs to",
        PathOf(id).string(), id.ShortHex(), found.ShortHex(), size_bytes);
}

MappedFile ObjectStore::Map(const ObjectId& id) const { return MappedFile::Open(PlaceOf(id)); }

/// The path of an object that is to be read.
ObjectStore::Path ObjectStore::PlaceOf(const ObjectId& id) const {
  const Path path = PathOf(id);
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::is_regular_file(status)) return path;
  if (status.type() == std::filesystem::file_type::none)
    ThrowErrno("cannot look at", path.string(), error.value());
  const char* const found = !std::filesystem::exists(status)        ? "nothing"
                            : std::filesystem::is_directory(status) ? "a folder"
                                                                    : "a device, pipe or socket";
  Throw(ErrorKind::kCorrupt,
        "{}: the object is missing: expected a file, found {}; put it back from a backup, or "
        "import or ingest again what needs it, which `statelib verify` shows",
        path.string(), found);
}

bool ObjectStore::Exists(const ObjectId& id) const {
  std::error_code ignored;
  return std::filesystem::is_regular_file(PathOf(id), ignored);
}

bool ObjectStore::IsSound(const ObjectId& id) const {
  return Exists(id) && HashOf(FileSource::Open(PathOf(id))) == id;
}

uint64_t ObjectStore::StoredBytes(const ObjectId& id) const { return files_.FileSize(PlaceOf(id)); }

void ObjectStore::Remove(const ObjectId& id) { files_.Remove(PathOf(id)); }

void ObjectStore::ForEach(
    const std::function<void(const ObjectId& id, uint64_t stored_bytes)>& visit) const {
  ForEachFolder([&](const Path& folder) {
    for (const Path& name : files_.List(folder)) {
      if (IsObjectFile(folder / name))
        visit(*Digest::FromHex(name.string()), files_.FileSize(folder / name));
    }
  });
}

/// The folders in objects/; what else lies there is not looked into.
void ObjectStore::ForEachFolder(const std::function<void(const Path& folder)>& visit) const {
  for (const Path& name : files_.List(objects_)) {
    if (IsFolder(objects_ / name)) visit(objects_ / name);
  }
}

bool ObjectStore::IsObjectFile(const Path& file) const {
  const auto id = Digest::FromHex(file.filename().string());
  return id && PathOf(*id) == file && Exists(*id);
}

void ObjectStore::ForEachStranger(const std::function<void(const Path& file)>& visit) const {
  for (const Path& name : files_.List(objects_)) {
    if (!IsFolder(objects_ / name)) visit(objects_ / name);
  }
  ForEachFolder([&](const Path& folder) {
    for (const Path& name : files_.List(folder)) {
      if (!IsObjectFile(folder / name)) visit(folder / name);
    }
  });
  for (const Path& name : files_.List(temporaries_)) {
    if (IsFolder(temporaries_ / name)) visit(temporaries_ / name);
  }
}

std::vector<ObjectStore::Path> ObjectStore::Temporaries() const {
  std::vector<Path> found;
  for (const Path& name : files_.List(temporaries_)) {
    if (!IsFolder(temporaries_ / name)) found.push_back(temporaries_ / name);
  }
  return found;
}

void ObjectStore::RemoveTemporary(const Path& file) { files_.Remove(file); }

}  // namespace statelib::storage
