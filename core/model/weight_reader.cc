// SPDX-License-Identifier: Apache-2.0
#include "core/model/weight_reader.h"

namespace statelib::model {

const checkpoint::TensorRef& WeightReader::Require(const std::string& name,
                                                   std::span<const int64_t> shape) {
  const checkpoint::TensorRef& tensor = checkpoint_.Get(name);
  checkpoint::RequireShape(tensor, shape);
  parameters_ += static_cast<uint64_t>(tensor.elements());
  return tensor;
}

kernels::WeightView WeightReader::Matrix(const std::string& name, int64_t rows, int64_t cols) {
  const std::initializer_list<int64_t> shape = {rows, cols};
  const checkpoint::TensorRef& tensor = Require(name, {shape.begin(), shape.size()});
  return {tensor.bytes.data(), checkpoint::WeightType(tensor), static_cast<size_t>(rows),
          static_cast<size_t>(cols)};
}

std::vector<float> WeightReader::Values(const std::string& name,
                                        std::initializer_list<int64_t> shape) {
  return checkpoint::ReadF32(Require(name, {shape.begin(), shape.size()}));
}

kernels::Buffer WeightReader::Upload(const std::vector<float>& values) {
  kernels::Buffer buffer = backend_.Allocate(values.size());
  backend_.Upload(values, buffer.data());
  return buffer;
}

std::vector<float> Transposed(const std::vector<float>& values, size_t rows, size_t cols) {
  std::vector<float> transposed(values.size());
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < cols; ++c) transposed[c * rows + r] = values[r * cols + c];
  }
  return transposed;
}

}  // namespace statelib::model
