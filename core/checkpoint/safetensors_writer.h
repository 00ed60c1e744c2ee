// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_CHECKPOINT_SAFETENSORS_WRITER_H_
#define STATELIB_CORE_CHECKPOINT_SAFETENSORS_WRITER_H_

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/base/file_system.h"
#include "core/checkpoint/element_type.h"

namespace statelib::checkpoint {

/// A tensor to write: row-major, dense, little-endian. The bytes stay the caller's.
struct SafetensorsEntry {
  std::string name;
  ElementType type = ElementType::kF32;
  std::vector<int64_t> shape;
  ByteSpan bytes;
};

using SafetensorsMetadata = std::map<std::string, std::string>;

/// What the published loaders expect to find: {"format": "pt"}.
SafetensorsMetadata PublishedMetadata();

/// Writes a file so that readers see the old one or the whole new one: temporary name beside it,
/// sync, rename. The tensors lie in the order of falling alignment and then of names, behind a
/// header padded to 8 bytes, so that each begins at a multiple of its element's size; the same
/// entries give the same bytes. Memory: the header only.
/// Errors: kIo; kInvalidArgument for a name that stands there twice or is not UTF-8, a shape that
/// does not fit the bytes, a block type, or the name "__metadata__".
void WriteSafetensors(FileSystem& files, const std::filesystem::path& path,
                      std::span<const SafetensorsEntry> entries,
                      const SafetensorsMetadata& metadata = PublishedMetadata());

}  // namespace statelib::checkpoint

#endif  // STATELIB_CORE_CHECKPOINT_SAFETENSORS_WRITER_H_
