// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_PROFILE_H_
#define STATELIB_KERNELS_PROFILE_H_

namespace statelib::kernels {

/// The numerics profile in which every sum and every function is a fixed sequence of IEEE f32
/// operations, so that the bits do not depend on instruction set, thread count or batch. The number
/// is the kernel revision: any change of an order of operations or of a polynomial increases it,
/// for states of another revision can no longer be proved.
inline constexpr const char* kExactProfile = "exact-f32-r1";

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_PROFILE_H_
