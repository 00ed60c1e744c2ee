// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_SAFETENSORS_FILE_H_
#define STATELIB_CORE_MODEL_FILES_SAFETENSORS_FILE_H_

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/model_files/tensor_file.h"

namespace statelib::model_files {

// safetensors: u64 header length N, N bytes of JSON, the data. The header maps each name to dtype,
// shape and [begin, end) in the data; the tensors fill the data from its first byte to its last
// without holes or overlap. Source: the format text and the reference reader of safetensors.

/// Maps a file and checks all of its header. The cost does not depend on the size of the data.
/// Errors: kNotFound, kIo; kCorrupt and kUnsupported with the path, the place, what was expected
/// and what was found.
TensorFile OpenSafetensors(const std::filesystem::path& path);

/// The checked tensors of a whole file in memory, which must outlive them. `path` is for messages.
std::vector<TensorRef> ParseSafetensors(ByteSpan file, const std::string& path);

/// The header's "__metadata__": texts by key.
using SafetensorsMetadata = std::map<std::string, std::string>;
inline constexpr std::string_view kSafetensorsMetadataKey = "__metadata__";

struct SafetensorsContents {
  std::vector<TensorRef> tensors;
  SafetensorsMetadata metadata;
};

/// Whether element types may be those of GGUF's blocks, which the format itself does not have.
enum class BlockTypes { kRefused, kAccepted };

/// The same with the metadata.
SafetensorsContents ParseSafetensorsContents(ByteSpan file, const std::string& path,
                                             BlockTypes block_types);

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_SAFETENSORS_FILE_H_
