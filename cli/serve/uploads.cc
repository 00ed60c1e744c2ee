// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/uploads.h"

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
  FileSystem& files = repository.files();
  const Path part = PartOf(repository, id);
  const auto lock = storage::FileLock::TryAcquire(part, storage::FileLock::Mode::kExclusive);
  if (!lock)
    Throw(ErrorKind::kBusy, "object {} is being sent by another; try again", id.ShortHex());
  if (const UploadPosition there = FindUpload(repository, id); there.complete) {
    files.Remove(part);
    return there;
  }
  uint64_t size = SizeOf(part);
  if (size > length) size = 0;  // of another, wrong length: begin anew
  if (size != offset)
    Throw(ErrorKind::kMismatch, "the upload has come to byte {}, not to {}", size, offset);
  const auto file = files.OpenEnd(part, size);
  bool too_long = false;
  const auto take = [&](ByteSpan piece) {
    too_long = too_long || piece.size() > length - size;
    if (too_long) return;
    try {
      file->Append(piece);
    } catch (const Error&) {
      files.Remove(part);  // a full disk needs the room
      throw;
    }
    size += piece.size();
  };
  read(take);
  file->Close();
  if (too_long) Throw(ErrorKind::kInvalidArgument, "more bytes than the {} announced", length);
  if (size < length) return {size, false};
  try {
    storage::AdoptObject(repository, id, part);
  } catch (...) {
    if (files.Exists(part)) files.Remove(part);  // unless it had its new name already
    throw;
  }
  return {length, true};
}

}  // namespace statelib::cli
