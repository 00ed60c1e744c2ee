// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_TENSOR_REF_H_
#define STATELIB_CORE_MODEL_FILES_TENSOR_REF_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/model_files/element_type.h"

namespace statelib::model_files {

/// One tensor of an open file: row-major, dense, little-endian. `bytes` point into the file's
/// mapping, live as long as what opened the file, and may be unaligned: copy, or load by memcpy.
struct TensorRef {
  std::string name;
  ElementType type = ElementType::kF32;
  std::vector<int64_t> shape;  ///< slowest axis first; [] is a scalar
  ByteSpan bytes;
  std::shared_ptr<const std::string> file;  ///< its path, shared by the tensors of a file

  int64_t elements() const;
  /// "model.safetensors: tensor "x" (F32 [3, 4])": how every message about it begins.
  std::string Label() const;
};

/// The weight type of a tensor. Errors: kUnsupported when the kernels know none of its element
/// type.
kernels::WeightType WeightType(const TensorRef& tensor);

/// Errors: kCorrupt when the shape is another one.
void RequireShape(const TensorRef& tensor, std::span<const int64_t> shape);

/// All elements of a F32, BF16 or F16 tensor, each exact in f32, or of a tensor of blocks, decoded
/// (kernels/weight_blocks.h). Errors: kUnsupported for any other type.
std::vector<float> ReadF32(const TensorRef& tensor);
/// All elements of an I64 tensor. Errors: kUnsupported.
std::vector<int64_t> ReadI64(const TensorRef& tensor);

/// Tensors by name. Thread-compatible.
class TensorTable {
 public:
  TensorTable() = default;
  /// `location` stands at the head of messages. Errors: kCorrupt when two tensors have one name.
  TensorTable(std::vector<TensorRef> tensors, std::string location);

  /// The tensor, or nullptr.
  const TensorRef* Find(std::string_view name) const;
  /// The tensor. Errors: kCorrupt with the name and the place when there is none.
  const TensorRef& Get(std::string_view name) const;
  /// In the order of names, byte by byte.
  std::span<const TensorRef> all() const { return tensors_; }
  /// Bytes of all tensors together.
  uint64_t total_bytes() const;

 private:
  std::vector<TensorRef> tensors_;
  std::string location_;
};

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_TENSOR_REF_H_
