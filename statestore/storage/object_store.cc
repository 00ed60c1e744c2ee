// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/object_store.h"

#include <unistd.h>

#include <utility>

#include "core/base/error.h"
#include "statestore/storage/limits.h"

namespace statelib::storage {

ObjectStore::ObjectStore(FileSystem& files, Path objects, Path temporaries)
    : files_(files), objects_(std::move(objects)), temporaries_(std::move(temporaries)) {}

ObjectStore::Path ObjectStore::PathOf(const ObjectId& id) const {
  const std::string name = id.Hex();
  return objects_ / name.substr(0, 2) / name;
}

bool ObjectStore::Put(const EncodedObject& object) {
  const Path path = PathOf(object.id);
  if (IsSound(object.id)) {
    // Its writer may have died between the rename and the sync of the folder.
    files_.SyncDirectory(path.parent_path());
    return false;
  }
  Write(object, path);
  return true;
}

void ObjectStore::Write(const EncodedObject& object, const Path& path) {
  const Path temporary =
      temporaries_ / fmt::format("{}.{}.{}", object.id.ShortHex(), ::getpid(), ++written_);
  try {
    const auto file = files_.Create(temporary);
    file->Append(object.bytes);
    file->Sync();
    file->Close();
    if (!files_.Exists(path.parent_path())) {
      files_.CreateDirectories(path.parent_path());
      files_.SyncDirectory(objects_);
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
  return files_.ReadFile(PathOf(id), kObjectBytesMax);
}

void ObjectStore::CheckIs(const ObjectId& id, ByteSpan bytes) const {
  const Digest found = HashOf(bytes);
  if (found == id) return;
  Throw(ErrorKind::kCorrupt,
        "{}: damaged object: expected hash {}, found {} over {} bytes; run `statelib verify` to "
        "see what it belongs to",
        PathOf(id).string(), id.ShortHex(), found.ShortHex(), bytes.size());
}

MappedFile ObjectStore::Map(const ObjectId& id) const { return MappedFile::Open(PathOf(id)); }

bool ObjectStore::Exists(const ObjectId& id) const { return files_.Exists(PathOf(id)); }

bool ObjectStore::IsSound(const ObjectId& id) const {
  const Path path = PathOf(id);
  return files_.Exists(path) && HashOf(files_.ReadFile(path, kObjectBytesMax)) == id;
}

uint64_t ObjectStore::StoredBytes(const ObjectId& id) const { return files_.FileSize(PathOf(id)); }

void ObjectStore::Remove(const ObjectId& id) { files_.Remove(PathOf(id)); }

void ObjectStore::ForEach(
    const std::function<void(const ObjectId& id, uint64_t stored_bytes)>& visit) const {
  for (const Path& folder : files_.List(objects_)) {
    for (const Path& name : files_.List(objects_ / folder)) {
      const auto id = Digest::FromHex(name.string());
      if (!id || PathOf(*id) != objects_ / folder / name) continue;
      visit(*id, files_.FileSize(objects_ / folder / name));
    }
  }
}

void ObjectStore::ForEachStranger(const std::function<void(const Path& file)>& visit) const {
  for (const Path& folder : files_.List(objects_)) {
    if (!std::filesystem::is_directory(objects_ / folder)) {
      visit(objects_ / folder);
      continue;
    }
    for (const Path& name : files_.List(objects_ / folder)) {
      const auto id = Digest::FromHex(name.string());
      if (!id || PathOf(*id) != objects_ / folder / name) visit(objects_ / folder / name);
    }
  }
}

std::vector<ObjectStore::Path> ObjectStore::Temporaries() const {
  std::vector<Path> found;
  for (const Path& name : files_.List(temporaries_)) found.push_back(temporaries_ / name);
  return found;
}

void ObjectStore::RemoveTemporary(const Path& file) { files_.Remove(file); }

}  // namespace statelib::storage
