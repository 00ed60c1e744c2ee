// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_GGUF_WRITER_H_
#define STATELIB_CORE_MODEL_FILES_GGUF_WRITER_H_

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file_system.h"
#include "core/model_files/gguf_metadata.h"
#include "core/model_files/tensor_to_write.h"

namespace statelib::model_files {

/// The metadata of a GGUF file that is being written, in the order of the calls. One thread.
class GgufMetadataWriter {
 public:
  void AddString(std::string_view key, std::string_view value);
  void AddU32(std::string_view key, uint64_t value);  ///< Errors: kUnsupported beyond 32 bits.
  void AddF32(std::string_view key, float value);
  void AddBool(std::string_view key, bool value);
  void AddStrings(std::string_view key, std::span<const std::string> values);
  void AddI32s(std::string_view key, std::span<const int32_t> values);
  /// A value of another file, as it lies there.
  void AddCopy(const GgufValue& value);

  uint64_t count() const { return count_; }
  const std::string& bytes() const { return bytes_; }

 private:
  void Begin(std::string_view key, GgufType type);

  std::string bytes_;
  uint64_t count_ = 0;
};

/// Writes a GGUF v3 file so that readers see the old one or the whole new one. The tensors lie in
/// the order that is given, each at a multiple of 32 bytes. Memory: the header only.
/// Errors: kIo, those of the tensors' streams; kInvalidArgument as CheckTensorsToWrite;
/// kUnsupported for a name of more than 63 bytes, more than 4 axes, or an element type that ggml
/// does not have.
void WriteGguf(FileSystem& files, const std::filesystem::path& path,
               const GgufMetadataWriter& metadata, std::span<const TensorToWrite> tensors);

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_GGUF_WRITER_H_
