// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_WEIGHTS_H_
#define STATELIB_CORE_MODEL_WEIGHTS_H_

#include <deque>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/cancel.h"
#include "core/model/packed_file.h"
#include "core/model_files/model_files.h"
#include "kernels/backend.h"

namespace statelib::model {

/// One weight of a model: how it is made, and its form in the backend's memory once it was used.
template <typename Form>
class Deferred {
 public:
  explicit Deferred(std::function<Form()> make) : make_(std::move(make)) {}

  Form& get() {
    if (make_) {
      form_ = make_();
      make_ = nullptr;
    }
    return form_;
  }
  bool made() const { return !make_; }

 private:
  std::function<Form()> make_;
  Form form_;
};

using DeferredMatrix = Deferred<std::unique_ptr<kernels::Matrix>>;
using DeferredVector = Deferred<kernels::Buffer>;

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

  explicit operator bool() const { return vector_ != nullptr; }
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

  Weights(const model_files::ModelFiles& model_files, kernels::Backend& backend)
      : model_files_(model_files), backend_(backend) {}
  Weights(const Weights&) = delete;
  Weights& operator=(const Weights&) = delete;

  bool Has(const std::string& name) const { return model_files_.Find(name) != nullptr; }
  /// Errors: kCorrupt when it is missing.
  int64_t ElementsOf(const std::string& name) const { return model_files_.Get(name).elements(); }

  /// Declares a matrix [rows, cols], held in the format of the model. What was declared before, for
  /// another place in the model, is the same matrix. Errors: kCorrupt (missing, another shape),
  /// kUnsupported (element type).
  MatrixRef Matrix(const std::string& name, int64_t rows, int64_t cols) {
    return Declare(name, rows, cols, false);
  }
  /// The same, but of those few weights whose rounding would cost most: its exact values are used,
  /// whatever the format; blocks are used as they are where the format is the file's own.
  MatrixRef ExactMatrix(const std::string& name, int64_t rows, int64_t cols) {
    return Declare(name, rows, cols, true);
  }
  /// The matrices of a tensor [experts, rows, cols], of which each row of a pass uses `chosen`.
  /// Errors: as Matrix().
  std::vector<MatrixRef> ExpertMatrices(const std::string& name, int64_t experts, int64_t chosen,
                                        int64_t rows, int64_t cols);
  /// Declares a small tensor, used as f32 after `transform`. Errors: as Matrix().
  VectorRef Vector(const std::string& name, std::initializer_list<int64_t> shape,
                   Transform transform = {});
  VectorRef Vector(const std::string& name, int64_t size) { return Vector(name, {size}); }
  /// Declares `size` times one value.
  VectorRef Constant(int64_t size, float value);

  /// Elements of all declared tensors, each counted once.
  uint64_t parameters() const { return parameters_; }
  /// Of the matrices that one token uses, together.
  double active_elements() const;
  /// The bytes that they have in the format.
  double active_bytes() const;
  /// The bytes of every matrix, in the format.
  uint64_t matrix_bytes() const;
  /// Whether a matrix is of a block type.
  bool has_blocks() const;

  /// How matrices are held. Called before any weight was used.
  void HoldAs(kernels::WeightFormat format) { format_ = format; }
  /// Brings everything into the backend's form that was not used yet. Errors: those of
  /// Backend::Pack, kCancelled.
  void Prepare(const CancelFlag* cancel = nullptr);
  kernels::WeightFormat format() const { return format_; }

  /// What a packed file of these weights must be of: everything declared, the format, the backend's
  /// layout and the model's fingerprint.
  Digest PackedKey(const Digest& fingerprint) const;
  /// Packs every matrix, one at a time, into a file. `on_progress`: bytes of matrix_bytes().
  /// Errors: kIo, kCancelled; kUnsupported for a backend that cannot map.
  void WritePacked(FileSystem& files, const std::filesystem::path& path, const Digest& key,
                   const CancelFlag* cancel,
                   const std::function<void(uint64_t done, uint64_t total)>& on_progress = {});
  /// Uses a packed file from now on; called before any weight was used. Errors: those of
  /// PackedFile::Open; kCorrupt where a part is not what was declared. Nothing is changed then.
  void UsePacked(const std::filesystem::path& path, const Digest& key);

 private:
  struct MatrixSource {
    std::string name;  // of an expert's: with its number
    ByteSpan bytes;
    kernels::WeightView view;
    bool exact;
    double active = 1;  // the part of a pass's rows that use it
  };
  /// A small tensor that is not used as the file has it, and is thus worth keeping.
  struct DerivedSource {
    std::string name;
    std::function<std::vector<float>()> values;
    size_t elements;
  };

  const model_files::TensorRef& Require(const std::string& name, std::span<const int64_t> shape);
  MatrixRef Declare(const std::string& name, int64_t rows, int64_t cols, bool exact);
  MatrixRef Add(MatrixSource source);
  VectorRef Add(std::function<std::vector<float>()> values);
  uint64_t BytesOf(const MatrixSource& source) const;
  kernels::WeightFormat FormatOf(const MatrixSource& source) const;
  std::unique_ptr<kernels::Matrix> Make(size_t index);
  /// In the backend's form; the file's pages that were read for it leave the memory.
  std::unique_ptr<kernels::Matrix> Pack(const MatrixSource& source);
  std::vector<float> DerivedValues(size_t index);

  const model_files::ModelFiles& model_files_;
  kernels::Backend& backend_;
  kernels::WeightFormat format_ = kernels::WeightFormat::kStored;
  uint64_t parameters_ = 0;
  std::set<std::string> counted_;                            // the tensors in parameters_
  std::vector<MatrixSource> sources_;                        // as matrices_
  std::map<std::pair<std::string, bool>, size_t> declared_;  // (name, exact) -> sources_
  std::vector<DerivedSource> derived_;
  std::optional<PackedFile> packed_;  // matrices_ refer into it
  // Deques, for the references.
  std::deque<DeferredMatrix> matrices_;
  std::deque<DeferredVector> vectors_;
};

/// [rows, cols] -> [cols, rows]
std::vector<float> Transposed(const std::vector<float>& values, size_t rows, size_t cols);

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_WEIGHTS_H_
