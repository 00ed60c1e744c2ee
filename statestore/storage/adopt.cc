// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/adopt.h"

#include "core/base/byte_source.h"
#include "core/base/error.h"

namespace statelib::storage {

void AdoptObject(Repository& repository, const ObjectId& id, const std::filesystem::path& file) {
  FileSystem& files = repository.files();
  const auto end = files.OpenEnd(file, files.FileSize(file));
  end->Sync();
  end->Close();
  const Digest found = HashOf(FileSource::Open(file));
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
