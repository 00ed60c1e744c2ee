// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_PROFILE_H_
#define STATELIB_KERNELS_PROFILE_H_

#include "kernels/weight_type.h"

namespace statelib::kernels {

/// The numerics profile in which every sum and every function is a fixed sequence of IEEE f32
/// operations, so that the bits do not depend on instruction set, thread count or batch. The number
/// is the kernel revision: any change of an order of operations or of a polynomial increases it,
/// for states of another revision can no longer be proved.
inline constexpr const char* kExactProfile = "exact-f32-r1";

/// The profiles of models whose large matrices are held in another format; all that is said above
/// holds in each. README.md has their orders of operations.
inline constexpr const char* kBF16Profile = "bf16-r1";
inline constexpr const char* kInt8Profile = "int8-r1";
inline constexpr const char* kInt4Profile = "int4-r1";
/// A file's own blocks, as they are.
inline constexpr const char* kBlocksProfile = "blocks-r1";

/// The profile of a model held in this format. has_blocks: whether its file has tensors of block
/// types.
constexpr const char* ProfileOf(WeightFormat format, bool has_blocks) {
  switch (format) {
    case WeightFormat::kStored:
      return has_blocks ? kBlocksProfile : kExactProfile;
    case WeightFormat::kF32:
      return kExactProfile;
    case WeightFormat::kBF16:
      return kBF16Profile;
    case WeightFormat::kInt8:
      return kInt8Profile;
    case WeightFormat::kInt4:
      return kInt4Profile;
  }
  return kExactProfile;
}

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_PROFILE_H_
