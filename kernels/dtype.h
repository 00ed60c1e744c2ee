// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_DTYPE_H_
#define STATELIB_KERNELS_DTYPE_H_

#include <cstddef>
#include <cstdint>

namespace statelib::kernels {

/// Element types of weights and states.
enum class DType : uint8_t { kF32, kBF16, kF16 };

constexpr size_t SizeOf(DType dtype) { return dtype == DType::kF32 ? 4 : 2; }

constexpr const char* NameOf(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "f32";
    case DType::kBF16:
      return "bf16";
    case DType::kF16:
      return "f16";
  }
  return "?";
}

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_DTYPE_H_
