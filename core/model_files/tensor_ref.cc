// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/tensor_ref.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/model_files/tensor_text.h"
#include "kernels/weight_blocks.h"
#include "kernels/weights.h"

namespace statelib::model_files {

namespace {

template <typename Stored, typename Value, typename Convert>
std::vector<Value> ReadAll(const TensorRef& tensor, Convert convert) {
  std::vector<Value> values(tensor.bytes.size() / sizeof(Stored));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = convert(LoadLittle<Stored>(tensor.bytes.data() + i * sizeof(Stored)));
  }
  return values;
}

}  // namespace

int64_t TensorRef::elements() const {
  int64_t product = 1;
  for (const int64_t axis : shape) product *= axis;
  return product;
}

std::string TensorRef::Label() const {
  return fmt::format("{}: tensor {} ({} {})", file ? *file : "?", Quoted(name), NameOf(type),
                     ShapeText(shape));
}

kernels::WeightType WeightType(const TensorRef& tensor) {
  const std::optional<kernels::WeightType> type = WeightTypeOf(tensor.type);
  if (!type) {
    Throw(ErrorKind::kUnsupported,
          "{}: expected weights of type {}, found {}; use the model in one of "
          "these types",
          tensor.Label(), WeightTypeNames(), NameOf(tensor.type));
  }
  return *type;
}

void RequireShape(const TensorRef& tensor, std::span<const int64_t> shape) {
  if (std::ranges::equal(tensor.shape, shape)) return;
  Throw(ErrorKind::kCorrupt,
        "{}: expected the shape {}, found {}; the configuration and the weights do not belong "
        "together",
        tensor.Label(), ShapeText(shape), ShapeText(tensor.shape));
}

std::vector<float> ReadF32(const TensorRef& tensor) {
  switch (const kernels::WeightType type = WeightType(tensor)) {
    case kernels::WeightType::kF32:
      return ReadAll<float, float>(tensor, [](float value) { return value; });
    case kernels::WeightType::kBF16:
      return ReadAll<uint16_t, float>(tensor, kernels::FloatFromBF16);
    case kernels::WeightType::kF16:
      return ReadAll<uint16_t, float>(tensor, kernels::FloatFromF16);
    default: {
      std::vector<float> values(static_cast<size_t>(tensor.elements()));
      kernels::DecodeBlocks(type, tensor.bytes, values);
      return values;
    }
  }
}

std::vector<int64_t> ReadI64(const TensorRef& tensor) {
  if (tensor.type != ElementType::kI64) {
    Throw(ErrorKind::kUnsupported, "{}: expected elements of type I64, found {}", tensor.Label(),
          NameOf(tensor.type));
  }
  return ReadAll<int64_t, int64_t>(tensor, [](int64_t value) { return value; });
}

TensorTable::TensorTable(std::vector<TensorRef> tensors, std::string location)
    : tensors_(std::move(tensors)), location_(std::move(location)) {
  std::ranges::sort(tensors_, {}, &TensorRef::name);
  const auto twice = std::ranges::adjacent_find(tensors_, {}, &TensorRef::name);
  if (twice != tensors_.end()) {
    Throw(ErrorKind::kCorrupt, "{}: expected every tensor once, found {} twice", location_,
          Quoted(twice->name));
  }
}

const TensorRef* TensorTable::Find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(tensors_, name, {}, &TensorRef::name);
  return found != tensors_.end() && found->name == name ? &*found : nullptr;
}

const TensorRef& TensorTable::Get(std::string_view name) const {
  const TensorRef* tensor = Find(name);
  if (tensor == nullptr) {
    Throw(ErrorKind::kCorrupt,
          "{}: expected the tensor {}, found {} tensors without it; the model is incomplete or "
          "of another architecture than its configuration says",
          location_, Quoted(name), tensors_.size());
  }
  return *tensor;
}

uint64_t TensorTable::total_bytes() const {
  uint64_t total = 0;
  for (const TensorRef& tensor : tensors_) total += tensor.bytes.size();
  return total;
}

}  // namespace statelib::model_files
