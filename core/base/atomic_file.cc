// SPDX-License-Identifier: Apache-2.0
#include "core/base/atomic_file.h"

#include <utility>

#include "core/base/error.h"
#include "core/base/random_name.h"

namespace statelib {

AtomicFile::AtomicFile(FileSystem& files, const std::filesystem::path& path,
                       Permissions permissions)
    : files_(files),
      place_(FindOutputPlace(path)),
      temporary_(TemporaryBeside(place_.path)),
      file_(place_.is_stream ? files.OpenStream(place_.path)
                             : files.Create(temporary_, permissions)) {}

AtomicFile::~AtomicFile() {
  if (committed_ || place_.is_stream) return;
  try {
    files_.Remove(temporary_);
  } catch (const Error&) {
    // The error that ended the writing is the one to report.
  }
}

void AtomicFile::Commit() {
  file_->Sync();
  file_->Close();
  if (place_.is_stream) return;
  files_.Rename(temporary_, place_.path);
  committed_ = true;
  files_.SyncDirectory(place_.path.has_parent_path() ? place_.path.parent_path() : ".");
}

void WriteFileAtomically(FileSystem& files, const std::filesystem::path& path, ByteSpan bytes,
                         Permissions permissions) {
  AtomicFile file(files, path, permissions);
  file.Append(bytes);
  file.Commit();
}

}  // namespace statelib
