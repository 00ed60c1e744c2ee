// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_PACKED_FILE_H_
#define STATELIB_CORE_MODEL_PACKED_FILE_H_

#include <filesystem>
#include <memory>
#include <vector>

#include "core/base/digest.h"
#include "core/base/file_system.h"
#include "core/base/mapped_file.h"
#include "kernels/backend.h"

namespace statelib::model {

// Weights as a backend packed them, in one file that is mapped and used as it is:
//   the parts, each from a multiple of 64 bytes on; the table, an entry a part; the tail.
//   entry: offset u64, size u64, kind u32, zero u32, rows u64, cols u64
//   tail:  "statelib packed1", size of the file u64, offset of the table u64, parts u64, key 32
//          bytes, BLAKE2b-256 of table and tail up to here
// Goals: to be usable after a look at table and tail alone; to be worth nothing, and never wrong,
// under another key. It is a cache: the parts themselves are not hashed, for that would cost more
// than packing them again.

/// One part of a packed file.
struct PackedPart {
  kernels::MatrixDescription description;  ///< kind 0: f32 values, cols of them
  ByteSpan bytes;
};

/// A packed file that is mapped. Parts live as long as it does. Move-only.
class PackedFile {
 public:
  /// Errors: kNotFound, kIo; kMismatch for a file of another key or another number of parts;
  /// kCorrupt.
  static PackedFile Open(const std::filesystem::path& path, const Digest& key, size_t parts);

  const PackedPart& part(size_t index) const { return parts_[index]; }

 private:
  PackedFile(MappedFile file, std::vector<PackedPart> parts)
      : file_(std::move(file)), parts_(std::move(parts)) {}

  MappedFile file_;
  std::vector<PackedPart> parts_;
};

/// Writes a packed file part by part under a temporary name; it appears whole with Finish(), or
/// never. Several processes may write one path: each has a name of its own, and the last one wins.
class PackedFileWriter {
 public:
  /// Makes the folder. Errors: kIo.
  PackedFileWriter(FileSystem& files, std::filesystem::path path);
  ~PackedFileWriter();
  PackedFileWriter(const PackedFileWriter&) = delete;
  PackedFileWriter& operator=(const PackedFileWriter&) = delete;

  void Append(const kernels::MatrixDescription& description, ByteSpan bytes);
  void Finish(const Digest& key);

 private:
  void Write(ByteSpan bytes);

  FileSystem& files_;
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  std::unique_ptr<WritableFile> file_;
  uint64_t size_ = 0;
  uint64_t parts_ = 0;
  Bytes table_;
};

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_PACKED_FILE_H_
