// SPDX-License-Identifier: Apache-2.0
#include "core/base/atomic_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "core/base/error.h"

namespace statelib {

AtomicFile::AtomicFile(FileSystem& files, std::filesystem::path path)
    : files_(files),
      path_(std::move(path)),
      temporary_(fmt::format("{}.{}.part", path_.string(), ::getpid())),
      file_(files.Create(temporary_)) {}

AtomicFile::~AtomicFile() {
  if (committed_) return;
  try {
    files_.Remove(temporary_);
  } catch (const Error&) {
    // The error that ended the writing is the one to report.
  }
}

void AtomicFile::Commit() {
  file_->Sync();
  file_->Close();
  files_.Rename(temporary_, path_);
  committed_ = true;
  files_.SyncDirectory(path_.has_parent_path() ? path_.parent_path() : ".");
}

void WriteFileAtomically(FileSystem& files, const std::filesystem::path& path, ByteSpan bytes) {
  AtomicFile file(files, path);
  file.Append(bytes);
  file.Commit();
}

}  // namespace statelib
