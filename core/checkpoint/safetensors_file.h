// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_CHECKPOINT_SAFETENSORS_FILE_H_
#define STATELIB_CORE_CHECKPOINT_SAFETENSORS_FILE_H_

#include <filesystem>
#include <string>
#include <vector>

#include "core/checkpoint/tensor_file.h"

namespace statelib::checkpoint {

// safetensors: u64 header length N, N bytes of JSON, the data. The header maps each name to dtype,
// shape and [begin, end) in the data; the tensors fill the data from its first byte to its last
// without holes or overlap. Source: the format text and the reference reader of safetensors.

/// Maps a file and checks all of its header. The cost does not depend on the size of the data.
/// Errors: kNotFound, kIo; kCorrupt and kUnsupported with the path, the place, what was expected
/// and what was found.
TensorFile OpenSafetensors(const std::filesystem::path& path);

/// The checked tensors of a whole file in memory, which must outlive them. `path` is for messages.
std::vector<TensorRef> ParseSafetensors(ByteSpan file, const std::string& path);

}  // namespace statelib::checkpoint

#endif  // STATELIB_CORE_CHECKPOINT_SAFETENSORS_FILE_H_
