// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_SAFETENSORS_WRITER_H_
#define STATELIB_CORE_MODEL_FILES_SAFETENSORS_WRITER_H_

#include <filesystem>
#include <span>
#include <string>

#include "core/base/file_system.h"
#include "core/model_files/safetensors_file.h"
#include "core/model_files/tensor_to_write.h"

namespace statelib::model_files {

/// What the published loaders expect to find: {"format": "pt"}.
SafetensorsMetadata PublishedMetadata();

/// Writes a file so that readers see the old one or the whole new one. The tensors lie in the order
/// of falling alignment and then of names, behind a header padded to 8 bytes, so that each begins
/// at a multiple of its element's size; the same tensors give the same bytes. Memory: the header
/// only. Errors: kIo, those of the tensors' streams; kInvalidArgument for a name that stands there
/// twice or is not UTF-8, a shape that does not fit the bytes, the name "__metadata__", or a block
/// type, which the format does not have (statelib_model.h writes those).
void WriteSafetensors(FileSystem& files, const std::filesystem::path& path,
                      std::span<const TensorToWrite> tensors,
                      const SafetensorsMetadata& metadata = PublishedMetadata());

/// The same, block types included: readers of the format refuse such a file by its types.
void WriteSafetensorsWithBlocks(FileSystem& files, const std::filesystem::path& path,
                                std::span<const TensorToWrite> tensors,
                                const SafetensorsMetadata& metadata);

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_SAFETENSORS_WRITER_H_
