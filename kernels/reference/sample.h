// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_REFERENCE_SAMPLE_H_
#define STATELIB_KERNELS_REFERENCE_SAMPLE_H_

#include <span>

#include "kernels/sampling.h"

namespace statelib::kernels::reference {

/// Steps 1 to 3 of kernels/sampling.h, in place. x: [tokens], in host memory. Tokens that leave
/// become not-a-number.
void AdjustLogits(const SampleRow& row, std::span<float> x);

/// The choice as its contract reads. logits: [tokens], in host memory.
SampleResult Sample(std::span<const float> logits, const SampleRow& row);

}  // namespace statelib::kernels::reference

#endif  // STATELIB_KERNELS_REFERENCE_SAMPLE_H_
