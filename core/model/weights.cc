// SPDX-License-Identifier: Apache-2.0
#include "core/model/weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "core/base/copy_bytes.h"
#include "core/base/error.h"
#include "kernels/weight_type.h"

namespace statelib::model {

using kernels::WeightFormat;
using kernels::WeightType;

const model_files::TensorRef& Weights::Require(const std::string& name,
                                               std::span<const int64_t> shape) {
  const model_files::TensorRef& tensor = model_files_.Get(name);
  model_files::RequireShape(tensor, shape);
  if (counted_.insert(name).second) parameters_ += static_cast<uint64_t>(tensor.elements());
  return tensor;
}

MatrixRef Weights::Declare(const std::string& name, int64_t rows, int64_t cols, bool exact) {
  const std::initializer_list<int64_t> shape = {rows, cols};
  const model_files::TensorRef& tensor = Require(name, {shape.begin(), shape.size()});
  return Add({name,
              tensor.bytes,
              {tensor.bytes.data(), model_files::WeightType(tensor), static_cast<size_t>(rows),
               static_cast<size_t>(cols)},
              exact});
}

std::vector<MatrixRef> Weights::ExpertMatrices(const std::string& name, int64_t experts,
                                               int64_t chosen, int64_t rows, int64_t cols) {
  const std::initializer_list<int64_t> shape = {experts, rows, cols};
  const model_files::TensorRef& tensor = Require(name, {shape.begin(), shape.size()});
  const kernels::WeightType type = model_files::WeightType(tensor);
  const size_t bytes =
      static_cast<size_t>(rows) * kernels::RowBytes(type, static_cast<size_t>(cols));
  std::vector<MatrixRef> matrices;
  for (size_t e = 0; e < static_cast<size_t>(experts); ++e) {
    const ByteSpan slice = tensor.bytes.subspan(e * bytes, bytes);
    matrices.push_back(
        Add({fmt::format("{}[{}]", name, e),
             slice,
             {slice.data(), type, static_cast<size_t>(rows), static_cast<size_t>(cols)},
             false,
             static_cast<double>(chosen) / static_cast<double>(experts)}));
  }
  return matrices;
}

MatrixRef Weights::Add(MatrixSource source) {
  const size_t index = sources_.size();
  const auto [declared, is_new] = declared_.insert({{source.name, source.exact}, index});
  if (!is_new) return MatrixRef(matrices_[declared->second]);
  sources_.push_back(std::move(source));
  return MatrixRef(matrices_.emplace_back([this, index] { return Make(index); }));
}

void Weights::Prepare(const CancelFlag* cancel) {
  for (DeferredMatrix& matrix : matrices_) {
    if (cancel != nullptr) cancel->Check();
    matrix.get();
  }
  for (DeferredVector& vector : vectors_) vector.get();
}

WeightFormat Weights::FormatOf(const MatrixSource& source) const {
  if (!source.exact && format_ != WeightFormat::kF32) return format_;
  // Plain types are exact as they are stored, and smaller.
  const bool as_stored =
      !kernels::IsBlockType(source.view.type) || format_ == WeightFormat::kStored;
  return as_stored ? WeightFormat::kStored : WeightFormat::kF32;
}

std::unique_ptr<kernels::Matrix> Weights::Pack(const MatrixSource& source) {
  auto matrix = backend_.Pack(source.view, FormatOf(source));
  model_files_.Forget(source.bytes);
  return matrix;
}

std::unique_ptr<kernels::Matrix> Weights::Make(size_t index) {
  const MatrixSource& source = sources_[index];
  if (!packed_) return Pack(source);
  const PackedPart& part = packed_->part(index);
  return backend_.Map(part.description, part.bytes);
}

VectorRef Weights::Vector(const std::string& name, std::initializer_list<int64_t> shape,
                          Transform transform) {
  const model_files::TensorRef& tensor = Require(name, {shape.begin(), shape.size()});
  model_files::WeightType(tensor);
  if (!transform) return Add([&tensor] { return model_files::ReadF32(tensor); });
  const size_t index = derived_.size();
  derived_.push_back({name,
                      [&tensor, transform = std::move(transform)] {
                        return transform(model_files::ReadF32(tensor));
                      },
                      static_cast<size_t>(tensor.elements())});
  return Add([this, index] { return DerivedValues(index); });
}

std::vector<float> Weights::DerivedValues(size_t index) {
  if (!packed_) return derived_[index].values();
  return ValuesOf<float>(packed_->part(sources_.size() + index).bytes);
}

double Weights::active_elements() const {
  double elements = 0;
  for (const MatrixSource& source : sources_) {
    elements += source.active * static_cast<double>(source.view.rows) *
                static_cast<double>(source.view.cols);
  }
  return elements;
}

double Weights::active_bytes() const {
  double bytes = 0;
  for (const MatrixSource& source : sources_)
    bytes += source.active * static_cast<double>(BytesOf(source));
  return bytes;
}

uint64_t Weights::BytesOf(const MatrixSource& source) const {
  const WeightType held = kernels::HeldType(source.view.type, FormatOf(source));
  // Halves are multiplied as f32.
  return uint64_t{source.view.rows} *
         kernels::RowBytes(held == WeightType::kF16 ? WeightType::kF32 : held, source.view.cols);
}

uint64_t Weights::matrix_bytes() const {
  uint64_t bytes = 0;
  for (const MatrixSource& source : sources_) bytes += BytesOf(source);
  return bytes;
}

bool Weights::has_blocks() const {
  return std::any_of(sources_.begin(), sources_.end(), [](const MatrixSource& source) {
    return kernels::IsBlockType(source.view.type);
  });
}

Digest Weights::PackedKey(const Digest& fingerprint) const {
  Hasher hasher;
  hasher.UpdateField("statelib packed weights 1").Update(fingerprint.bytes);
  hasher.UpdateField(backend_.packed_layout()).UpdateField(kernels::NameOf(format_));
  for (const MatrixSource& source : sources_) {
    hasher.UpdateField(source.name)
        .UpdateField(kernels::NameOf(source.view.type))
        .UpdateField(kernels::NameOf(FormatOf(source)))
        .UpdateU64(source.view.rows)
        .UpdateU64(source.view.cols);
  }
  for (const DerivedSource& source : derived_)
    hasher.UpdateField(source.name).UpdateU64(source.elements);
  return hasher.Finish();
}

void Weights::WritePacked(FileSystem& files, const std::filesystem::path& path, const Digest& key,
                          const CancelFlag* cancel,
                          const std::function<void(uint64_t, uint64_t)>& on_progress) {
  PackedFileWriter writer(files, path);
  const uint64_t total = matrix_bytes();
  uint64_t done = 0;
  for (const MatrixSource& source : sources_) {
    if (cancel != nullptr) cancel->Check();
    const auto matrix = Pack(source);
    if (matrix->description().kind == 0) {
      Throw(ErrorKind::kUnsupported, "{}: {} has no packed form for a file", source.name,
            backend_.name());
    }
    writer.Append(matrix->description(), matrix->packed());
    done += BytesOf(source);
    if (on_progress) on_progress(done, total);
  }
  for (const DerivedSource& source : derived_) {
    const std::vector<float> values = source.values();
    writer.Append({0, 1, values.size()}, std::as_bytes(std::span(values)));
  }
  writer.Finish(key);
}

void Weights::UsePacked(const std::filesystem::path& path, const Digest& key) {
  PackedFile file = PackedFile::Open(path, key, sources_.size() + derived_.size());
  const auto check = [&path](bool right, const std::string& name) {
    if (right) return;
    Throw(ErrorKind::kCorrupt, "{}: the packed form of {} is not what was expected", path.string(),
          name);
  };
  for (size_t i = 0; i < sources_.size(); ++i) {
    const auto& [description, bytes] = file.part(i);
    check(description.rows == sources_[i].view.rows && description.cols == sources_[i].view.cols,
          sources_[i].name);
    try {
      backend_.Map(description, bytes);
    } catch (const std::invalid_argument&) {
      check(false, sources_[i].name);
    }
  }
  for (size_t i = 0; i < derived_.size(); ++i) {
    const PackedPart& part = file.part(sources_.size() + i);
    check(part.bytes.size() == part.description.cols * sizeof(float) &&
              part.description.cols >= derived_[i].elements,
          derived_[i].name);
  }
  packed_ = std::move(file);
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
