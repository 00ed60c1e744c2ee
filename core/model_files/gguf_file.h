// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_GGUF_FILE_H_
#define STATELIB_CORE_MODEL_FILES_GGUF_FILE_H_

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/mapped_file.h"
#include "core/model_files/gguf_metadata.h"
#include "core/model_files/tensor_ref.h"

namespace statelib::model_files {

// GGUF, versions 2 and 3, little-endian: "GGUF", u32 version, counts, metadata, a description of
// every tensor, padding to general.alignment, the data. Sizes are written fastest axis first; here
// a shape has the slowest axis first, as everywhere in statelib. Source: the GGUF specification and
// ggml's reader.

/// The checked contents of a file in memory.
struct GgufContents {
  GgufMetadata metadata;
  std::vector<TensorRef> tensors;  ///< under the names of the file
};

/// Checks a whole file in memory, which must outlive the contents. `path` is for messages.
/// Errors: kCorrupt; kUnsupported for another version, byte order or tensor type.
GgufContents ParseGguf(ByteSpan file, const std::string& path);

/// Whether bytes begin as a GGUF file does.
bool BeginsAsGguf(ByteSpan file);

/// A mapped GGUF file under its own names. Move-only; moving keeps addresses. Thread-compatible.
class GgufFile {
 public:
  /// Errors: those of ParseGguf; kNotFound, kIo.
  static GgufFile Open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }
  const GgufMetadata& metadata() const { return metadata_; }
  const TensorTable& tensors() const { return tensors_; }
  /// MappedFile::Forget.
  void Forget(ByteSpan part) const { file_.Forget(part); }

 private:
  GgufFile(MappedFile file, GgufContents contents);

  MappedFile file_;
  GgufMetadata metadata_;
  TensorTable tensors_;
};

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_GGUF_FILE_H_
