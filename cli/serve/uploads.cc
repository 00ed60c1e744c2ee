// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/uploads.h"

#include <cerrno>
#include <fstream>

#include "core/base/error.h"
#include "statestore/storage/adopt.h"
#include "statestore/storage/limits.h"

namespace statelib::cli {

namespace {

using Path = std::filesystem::path;

Path PartOf(const storage::Repository& repository, const storage::ObjectId& id) {
  return repository.path() / "tmp" / fmt::format("upload-{}.part", id.Hex());
}

uint64_t SizeOf(const Path& part) {
  std::error_code none;
  const uint64_t size = std::filesystem::file_size(part, none);
  return none ? 0 : size;
}

}  // namespace

UploadPosition FindUpload(const storage::Repository& repository, const storage::ObjectId& id) {
  if (repository.objects().Exists(id)) return {repository.objects().StoredBytes(id), true};
  return {SizeOf(PartOf(repository, id)), false};
}

UploadPosition AppendUpload(storage::Repository& repository, const storage::ObjectId& id,
                            uint64_t offset, uint64_t length, const BodyReader& read) {
  if (length > storage::kObjectBytesMax) {
    Throw(ErrorKind::kInvalidArgument, "an object of {} bytes, expected at most {}", length,
          storage::kObjectBytesMax);
  }
  const storage::Lease lease = repository.WriteLease();  // gc leaves tmp/ alone meanwhile
  const Path part = PartOf(repository, id);
  const storage::FileLock lock = storage::FileLock::Acquire(
      part, storage::FileLock::Mode::kExclusive, std::chrono::milliseconds(0));
  if (const UploadPosition there = FindUpload(repository, id); there.complete) {
    std::filesystem::remove(part);
    return there;
  }
  uint64_t size = SizeOf(part);
  if (size > length) {  // of another, wrong length: begin anew
    std::filesystem::resize_file(part, 0);
    size = 0;
  }
  if (size != offset)
    Throw(ErrorKind::kMismatch, "the upload has come to byte {}, not to {}", size, offset);
  std::ofstream file(part, std::ios::binary | std::ios::app);
  bool too_long = false;
  read([&](ByteSpan piece) {
    too_long = too_long || piece.size() > length - size;
    if (too_long) return;
    file.write(reinterpret_cast<const char*>(piece.data()), std::ssize(piece));
    size += piece.size();
  });
  file.close();
  if (!file) {
    std::filesystem::remove(part);
    ThrowErrno("cannot write", part.string(), errno);
  }
  if (too_long) Throw(ErrorKind::kInvalidArgument, "more bytes than the {} announced", length);
  if (size < length) return {size, false};
  try {
    storage::AdoptObject(repository, id, part);
  } catch (...) {
    std::filesystem::remove(part);
    throw;
  }
  return {length, true};
}

}  // namespace statelib::cli
