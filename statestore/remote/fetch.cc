// SPDX-License-Identifier: Apache-2.0
#include "statestore/remote/fetch.h"

#include "core/base/error.h"
#include "statestore/storage/adopt.h"

namespace statelib::remote {

namespace {

using Path = std::filesystem::path;

/// Appends what the remote sends to `part`, which holds the object's first bytes already.
uint64_t ReceiveRest(FileSystem& files, Remote& remote, const TransferObject& object,
                     const Path& part, const storage::TransferControl& control) {
  uint64_t there = files.FileSize(part);
  if (there == object.size_bytes) return 0;
  if (there > object.size_bytes) there = 0;
  const auto file = files.OpenEnd(part, there);
  uint64_t received = 0;
  remote.GetObject(object, there, [&](ByteSpan bytes) {
    control.Check();
    if (bytes.size() > object.size_bytes - there - received) {
      Throw(ErrorKind::kCorrupt, "{}: object {}: expected {} bytes, found more", remote.location(),
            object.id.ShortHex(), object.size_bytes);
    }
    file->Append(bytes);
    received += bytes.size();
  });
  file->Close();
  if (there + received != object.size_bytes) {
    Throw(
        ErrorKind::kIo,
        "{}: object {} came cut short: expected {} bytes, found {}; run the command again, it goes "
        "on from there",
        remote.location(), object.id.ShortHex(), object.size_bytes, there + received);
  }
  return received;
}

}  // namespace

uint64_t FetchObject(storage::Repository& repository, Remote& remote, const TransferObject& object,
                     const storage::TransferControl& control) {
  if (repository.objects().IsSound(object.id)) return 0;
  FileSystem& files = repository.files();
  const Path part = repository.places().temporaries / fmt::format("fetch-{}.part", object.id.Hex());
  // Two that fetch the same object take turns; the second then finds it there.
  const storage::FileLock lock =
      storage::FileLock::Acquire(part, storage::FileLock::Mode::kExclusive, repository.waits());
  if (repository.objects().IsSound(object.id)) return 0;
  uint64_t travelled = 0;
  for (int attempt = 0;; ++attempt) {
    const bool resumed = files.FileSize(part) > 0;
    travelled += ReceiveRest(files, remote, object, part, control);
    try {
      storage::AdoptObject(repository, object.id, part);
      return travelled;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCorrupt) throw;
      // What was there before may have been damaged: once more, from the beginning.
      files.OpenEnd(part, 0)->Close();
      if (resumed && attempt == 0) continue;
      files.Remove(part);
      Throw(ErrorKind::kCorrupt, "{}: {}; push it again from a library that has it",
            remote.location(), error.what());
    }
  }
}

std::unique_ptr<const ByteSource> FetchedObjects::OpenObject(size_t i) {
  return repository_.objects().OpenUnchecked(manifest_.objects[i].id);
}

}  // namespace statelib::remote
