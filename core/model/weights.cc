// SPDX-License-Identifier: Apache-2.0
#include "core/model/weights.h"

namespace statelib::model {

const checkpoint::TensorRef& Weights::Require(const std::string& name,
                                              std::span<const int64_t> shape) {
  const checkpoint::TensorRef& tensor = checkpoint_.Get(name);
  checkpoint::RequireShape(tensor, shape);
  parameters_ += static_cast<uint64_t>(tensor.elements());
  return tensor;
}

MatrixRef Weights::Matrix(const std::string& name, int64_t rows, int64_t cols) {
  const std::initializer_list<int64_t> shape = {rows, cols};
  const checkpoint::TensorRef& tensor = Require(name, {shape.begin(), shape.size()});
  const kernels::WeightView view{tensor.bytes.data(), checkpoint::WeightType(tensor),
                                 static_cast<size_t>(rows), static_cast<size_t>(cols)};
  return MatrixRef(matrices_.emplace_back([this, view] { return backend_.Pack(view); }));
}

VectorRef Weights::Vector(const std::string& name, std::initializer_list<int64_t> shape,
                          Transform transform) {
  const checkpoint::TensorRef& tensor = Require(name, {shape.begin(), shape.size()});
  checkpoint::WeightType(tensor);  // before the first use
  return Add([&tensor, transform = std::move(transform)] {
    std::vector<float> values = checkpoint::ReadF32(tensor);
    return transform ? transform(std::move(values)) : values;
  });
}

VectorRef Weights::Constant(int64_t size, float value) {
  return Add([size, value] { return std::vector<float>(static_cast<size_t>(size), value); });
}

VectorRef Weights::Add(std::function<std::vector<float>()> values) {
  return VectorRef(vectors_.emplace_back([this, values = std::move(values)] {
    const std::vector<float> host = values();
    kernels::Buffer buffer = backend_.Allocate(host.size());
    backend_.Upload(host, buffer.data());
    return buffer;
  }));
}

std::vector<float> Transposed(const std::vector<float>& values, size_t rows, size_t cols) {
  std::vector<float> transposed(values.size());
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < cols; ++c) transposed[c * rows + r] = values[r * cols + c];
  }
  return transposed;
}

}  // namespace statelib::model
