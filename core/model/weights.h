// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_WEIGHTS_H_
#define STATELIB_CORE_MODEL_WEIGHTS_H_

#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "kernels/backend.h"

namespace statelib::model {

/// One weight of a model: where it comes from, and its form in the backend's memory once it was
/// used.
template <typename Form, typename Make>
class DeferredWeight {
 public:
  explicit DeferredWeight(Make make) : make_(std::move(make)) {}

  Form& get() {
    if (make_) {
      form_ = make_();
      make_ = nullptr;
    }
    return form_;
  }

 private:
  Make make_;
  Form form_;
};

using DeferredMatrix = DeferredWeight<std::unique_ptr<kernels::Matrix>,
                                      std::function<std::unique_ptr<kernels::Matrix>()>>;
using DeferredVector = DeferredWeight<kernels::Buffer, std::function<kernels::Buffer()>>;

/// A matrix of a model. Refers into its Weights.
class MatrixRef {
 public:
  MatrixRef() = default;
  explicit MatrixRef(DeferredMatrix& matrix) : matrix_(&matrix) {}

  explicit operator bool() const { return matrix_ != nullptr; }
  const kernels::Matrix& operator*() const { return *matrix_->get(); }

 private:
  DeferredMatrix* matrix_ = nullptr;
};

/// A vector or another small tensor of a model, or none. Refers into its Weights.
class VectorRef {
 public:
  VectorRef() = default;
  explicit VectorRef(DeferredVector& vector) : vector_(&vector) {}

  /// In the backend's memory; null when there is none.
  const float* data() const { return vector_ == nullptr ? nullptr : vector_->get().data(); }

 private:
  DeferredVector* vector_ = nullptr;
};

/// The weights of a model with the shapes that its config promises. Presence, type and shape are
/// checked when a weight is declared; it is brought into the backend's form when it is first used,
/// so that what is not needed costs nothing. One thread at a time.
class Weights {
 public:
  /// A small tensor's elements on the host -> what the backend is to have.
  using Transform = std::function<std::vector<float>(std::vector<float>)>;

  Weights(const checkpoint::Checkpoint& checkpoint, kernels::Backend& backend)
      : checkpoint_(checkpoint), backend_(backend) {}
  Weights(const Weights&) = delete;
  Weights& operator=(const Weights&) = delete;

  bool Has(const std::string& name) const { return checkpoint_.Find(name) != nullptr; }
  /// Errors: kCorrupt when it is missing.
  int64_t ElementsOf(const std::string& name) const { return checkpoint_.Get(name).elements(); }

  /// Declares a matrix [rows, cols]. Errors: kCorrupt (missing, another shape), kUnsupported
  /// (element type).
  MatrixRef Matrix(const std::string& name, int64_t rows, int64_t cols);
  /// Declares a small tensor, used as f32 after `transform`. Errors: as Matrix().
  VectorRef Vector(const std::string& name, std::initializer_list<int64_t> shape,
                   Transform transform = {});
  VectorRef Vector(const std::string& name, int64_t size) { return Vector(name, {size}); }
  /// Declares `size` times one value.
  VectorRef Constant(int64_t size, float value);

  uint64_t parameters() const { return parameters_; }

 private:
  const checkpoint::TensorRef& Require(const std::string& name, std::span<const int64_t> shape);
  VectorRef Add(std::function<std::vector<float>()> values);

  const checkpoint::Checkpoint& checkpoint_;
  kernels::Backend& backend_;
  uint64_t parameters_ = 0;
  // Deques, for the references.
  std::deque<DeferredMatrix> matrices_;
  std::deque<DeferredVector> vectors_;
};

/// [rows, cols] -> [cols, rows]
std::vector<float> Transposed(const std::vector<float>& values, size_t rows, size_t cols);

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_WEIGHTS_H_
