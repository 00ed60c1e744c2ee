// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_DTYPE_H_
#define STATELIB_KERNELS_DTYPE_H_

#include <cstddef>
#include <cstdint>

namespace statelib::kernels {

/// Element types of weights, states and activations. kI32 is of token ids alone.
enum class DType : uint8_t { kF32, kBF16, kF16, kI32 };

constexpr size_t SizeOf(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kI32 ? 4 : 2;
}

constexpr const char* NameOf(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "f32";
    case DType::kBF16:
      return "bf16";
    case DType::kF16:
      return "f16";
    case DType::kI32:
      return "i32";
  }
  return "?";
}

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_DTYPE_H_
