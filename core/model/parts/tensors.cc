// SPDX-License-Identifier: Apache-2.0
#include "core/model/parts/tensors.h"

#include <utility>
#include <vector>

#include "kernels/exact/math.h"

namespace statelib::model {

VectorRef OptionalVector(Weights& weights, std::optional<bool> wanted, const std::string& name,
                         int64_t size) {
  return wanted.value_or(weights.Has(name)) ? weights.Vector(name, size) : VectorRef();
}

VectorRef VectorOrZeros(Weights& weights, bool present, const std::string& name, int64_t size) {
  return present ? weights.Vector(name, size) : weights.Constant(size, 0.0f);
}

VectorRef ConvolutionTaps(Weights& weights, const std::string& name, int64_t channels,
                          int64_t kernel) {
  return weights.Vector(
      name, {channels, 1, kernel}, [channels, kernel](const std::vector<float>& taps) {
        return Transposed(taps, static_cast<size_t>(channels), static_cast<size_t>(kernel));
      });
}

VectorRef Decays(Weights& weights, const std::string& mixer, std::initializer_list<int64_t> shape,
                 const Weights::Transform& layout) {
  if (weights.Has(mixer + "A")) return weights.Vector(mixer + "A", shape, layout);
  return weights.Vector(mixer + "A_log", shape, [layout](std::vector<float> decays) {
    for (float& decay : decays) decay = -kernels::exact::Exp(decay);
    return layout ? layout(std::move(decays)) : decays;
  });
}

}  // namespace statelib::model
