// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_PARTS_TENSORS_H_
#define STATELIB_CORE_MODEL_PARTS_TENSORS_H_

#include <initializer_list>
#include <optional>
#include <string>

#include "core/model/weights.h"

/// Small tensors that several parts have in common. Errors: those of Weights::Vector.
namespace statelib::model {

/// A bias that the configuration demands, forbids, or (without a word) leaves to the tensors.
VectorRef OptionalVector(Weights& weights, std::optional<bool> wanted, const std::string& name,
                         int64_t size);

/// A vector, or zeros where the configuration says that there is none.
VectorRef VectorOrZeros(Weights& weights, bool present, const std::string& name, int64_t size);

/// The taps of a depthwise convolution, [channels, 1, kernel] in the file, [kernel, channels] here.
VectorRef ConvolutionTaps(Weights& weights, const std::string& name, int64_t channels,
                          int64_t kernel);

/// The decays A, all of them negative: mixer.A as it is, which is how GGUF holds them, else
/// -exp(mixer.A_log); `layout` then reorders them. The runtime's own exp, for a state's bits must
/// not depend on the machine's libm.
VectorRef Decays(Weights& weights, const std::string& mixer, std::initializer_list<int64_t> shape,
                 const Weights::Transform& layout = {});

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_PARTS_TENSORS_H_
