// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/tensor_to_write.h"

#include <set>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/model_files/tensor_text.h"

namespace statelib::model_files {

void CheckTensorsToWrite(std::span<const TensorToWrite> tensors, const std::string& path) {
  std::set<std::string_view> names;
  for (const TensorToWrite& tensor : tensors) {
    if (!IsPlainName(tensor.name) || !names.insert(tensor.name).second) {
      Throw(ErrorKind::kInvalidArgument, "{}: expected plain tensor names, each once, found {}",
            path, Quoted(tensor.name));
    }
    const std::optional<uint64_t> bytes = StorageBytes(tensor.type, tensor.shape);
    if (bytes && (tensor.stream || *bytes == tensor.bytes.size())) continue;
    Throw(
        ErrorKind::kInvalidArgument,
        "{}: tensor {}: expected a shape of whole blocks and the bytes that it needs, found {} {} "
        "with {} bytes",
        path, Quoted(tensor.name), NameOf(tensor.type), ShapeText(tensor.shape),
        tensor.bytes.size());
  }
}

uint64_t AppendTensor(const TensorToWrite& tensor, AtomicFile& file) {
  const uint64_t expected = StorageBytes(tensor.type, tensor.shape).value_or(0);
  if (!tensor.stream) {
    file.Append(tensor.bytes);
    return expected;
  }
  uint64_t written = 0;
  tensor.stream([&](ByteSpan bytes) {
    file.Append(bytes);
    written += bytes.size();
  });
  if (written != expected) {
    Throw(ErrorKind::kInvalidArgument, "tensor {}: expected {} bytes by its shape, found {}",
          Quoted(tensor.name), expected, written);
  }
  return expected;
}

}  // namespace statelib::model_files
