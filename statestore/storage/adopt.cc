// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/adopt.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/error.h"

namespace statelib::storage {

namespace {

constexpr size_t kBlockBytes = 1u << 20;

/// Reads in blocks.
Digest HashOfFile(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) ThrowErrno("cannot open", file.string(), errno);
  Hasher hasher;
  Bytes block(kBlockBytes);
  ssize_t got = 0;
  while ((got = ::read(descriptor, block.data(), block.size())) > 0)
    hasher.Update(ByteSpan(block).first(static_cast<size_t>(got)));
  const int reason = errno;
  ::close(descriptor);
  if (got < 0) ThrowErrno("cannot read", file.string(), reason);
  return hasher.Finish();
}

}  // namespace

void AdoptObject(Repository& repository, const ObjectId& id, const std::filesystem::path& file) {
  FileSystem& files = repository.files();
  const auto end = files.OpenEnd(file, files.FileSize(file));
  end->Sync();
  end->Close();
  const Digest found = HashOfFile(file);
  if (found != id) {
    Throw(ErrorKind::kCorrupt, "damaged object: expected hash {}, found {}", id.ShortHex(),
          found.ShortHex());
  }
  const std::filesystem::path place = repository.objects().PathOf(id);
  if (!files.Exists(place.parent_path())) {
    files.CreateDirectories(place.parent_path());
    files.SyncDirectory(place.parent_path().parent_path());
  }
  SetPermissionsIn(repository.path(), file);
  files.Rename(file, place);
  files.SyncDirectory(place.parent_path());
}

}  // namespace statelib::storage
