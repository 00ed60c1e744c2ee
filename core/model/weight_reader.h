// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_WEIGHT_READER_H_
#define STATELIB_CORE_MODEL_WEIGHT_READER_H_

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "kernels/backend.h"

namespace statelib::model {

/// Reads a checkpoint's tensors with the shapes that its config promises, and counts the
/// parameters.
class WeightReader {
 public:
  WeightReader(const checkpoint::Checkpoint& checkpoint, kernels::Backend& backend)
      : checkpoint_(checkpoint), backend_(backend) {}

  bool Has(const std::string& name) const { return checkpoint_.Find(name) != nullptr; }
  /// Errors: kCorrupt when it is missing.
  int64_t ElementsOf(const std::string& name) const { return checkpoint_.Get(name).elements(); }
  /// A matrix [rows, cols] where it lies. Errors: kCorrupt (missing, another shape), kUnsupported
  /// (element type).
  kernels::WeightView Matrix(const std::string& name, int64_t rows, int64_t cols);
  /// A small tensor's elements on the host, as f32.
  std::vector<float> Values(const std::string& name, std::initializer_list<int64_t> shape);
  /// The same in the backend's memory.
  kernels::Buffer Vector(const std::string& name, int64_t size) {
    return Upload(Values(name, {size}));
  }
  kernels::Buffer Upload(const std::vector<float>& values);

  uint64_t parameters() const { return parameters_; }

 private:
  const checkpoint::TensorRef& Require(const std::string& name, std::span<const int64_t> shape);

  const checkpoint::Checkpoint& checkpoint_;
  kernels::Backend& backend_;
  uint64_t parameters_ = 0;
};

/// [rows, cols] -> [cols, rows]
std::vector<float> Transposed(const std::vector<float>& values, size_t rows, size_t cols);

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_WEIGHT_READER_H_
