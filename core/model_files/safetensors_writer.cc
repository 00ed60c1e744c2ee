// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/safetensors_writer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/model_files/tensor_text.h"

namespace statelib::model_files {

namespace {

constexpr size_t kHeaderAlignment = 8;

std::string JsonString(const std::string& text, const std::filesystem::path& path) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    Throw(ErrorKind::kInvalidArgument, "{}: expected names in UTF-8, found {}", path.string(),
          Quoted(text));
  }
}

void RefuseForFormat(std::span<const TensorToWrite> tensors, const std::filesystem::path& path) {
  for (const TensorToWrite& tensor : tensors) {
    if (!IsBlockType(tensor.type)) continue;
    Throw(ErrorKind::kInvalidArgument,
          "{}: tensor {}: expected a type that safetensors has, found {}", path.string(),
          Quoted(tensor.name), NameOf(tensor.type));
  }
}

/// The tensors in the order in which they lie in the file.
std::vector<const TensorToWrite*> InFileOrder(std::span<const TensorToWrite> tensors) {
  std::vector<const TensorToWrite*> order;
  for (const TensorToWrite& tensor : tensors) order.push_back(&tensor);
  // The enumeration grows with alignment, but for the block types, which have none.
  const auto rank = [](ElementType type) {
    return IsBlockType(type) ? -1 : static_cast<int>(type);
  };
  std::ranges::sort(order, [&](const TensorToWrite* a, const TensorToWrite* b) {
    if (a->type != b->type)
      return std::pair(rank(a->type), a->type) > std::pair(rank(b->type), b->type);
    return a->name < b->name;
  });
  return order;
}

std::string HeaderOf(const std::vector<const TensorToWrite*>& order,
                     const SafetensorsMetadata& metadata, const std::filesystem::path& path) {
  std::string header;
  if (!metadata.empty()) {
    std::string members;
    for (const auto& [key, value] : metadata) {
      members += fmt::format("{}{}:{}", members.empty() ? "" : ",", JsonString(key, path),
                             JsonString(value, path));
    }
    header = fmt::format("\"{}\":{{{}}}", kSafetensorsMetadataKey, members);
  }
  uint64_t offset = 0;
  for (const TensorToWrite* tensor : order) {
    std::string shape;
    for (const int64_t axis : tensor->shape) {
      shape += fmt::format("{}{}", shape.empty() ? "" : ",", axis);
    }
    const uint64_t end = offset + StorageBytes(tensor->type, tensor->shape).value_or(0);
    if (tensor->name == kSafetensorsMetadataKey) {
      Throw(ErrorKind::kInvalidArgument, "{}: expected plain tensor names, found {}", path.string(),
            Quoted(tensor->name));
    }
    header += fmt::format(R"({}{}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                          header.empty() ? "" : ",", JsonString(tensor->name, path),
                          NameOf(tensor->type), shape, offset, end);
    offset = end;
  }
  header = "{" + header + "}";
  header.resize((header.size() + kHeaderAlignment - 1) / kHeaderAlignment * kHeaderAlignment, ' ');
  return header;
}

}  // namespace

SafetensorsMetadata PublishedMetadata() { return {{"format", "pt"}}; }

void WriteSafetensors(FileSystem& files, const std::filesystem::path& path,
                      std::span<const TensorToWrite> tensors, const SafetensorsMetadata& metadata) {
  RefuseForFormat(tensors, path);
  WriteSafetensorsWithBlocks(files, path, tensors, metadata);
}

void WriteSafetensorsWithBlocks(FileSystem& files, const std::filesystem::path& path,
                                std::span<const TensorToWrite> tensors,
                                const SafetensorsMetadata& metadata) {
  CheckTensorsToWrite(tensors, path.string());
  const std::vector<const TensorToWrite*> order = InFileOrder(tensors);
  const std::string header = HeaderOf(order, metadata, path);
  const uint64_t length = header.size();
  AtomicFile file(files, path);
  file.Append(std::as_bytes(std::span(&length, 1)));
  file.Append(AsBytes(header));
  for (const TensorToWrite* tensor : order) AppendTensor(*tensor, file);
  file.Commit();
}

}  // namespace statelib::model_files
