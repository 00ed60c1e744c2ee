// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_LIMITS_H_
#define STATELIB_KERNELS_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace statelib::kernels {

/// The operations that products are made of.
enum class Arithmetic : uint8_t {
  kF32,   ///< fused multiply-adds
  kBF16,  ///< products of bf16 pairs added in f32; without such an instruction, kF32
  kInt8,  ///< products of 8-bit integers added in 32 bits
};

/// The multiply-adds a second that `threads` threads reach together on registers alone, with the
/// widest instructions of this machine, the median of several tries: what no product can keep up
/// above. Takes about 0.1 s. Thread-safe.
double MeasureMultiplyAddsPerSecond(Arithmetic arithmetic, int threads);

/// The bytes a second that `threads` threads read together from a working set of `bytes`, passed
/// over again and again, the median of the passes: the memory's bandwidth when it exceeds the
/// caches, else that of the cache it fits. Takes about 0.3 s, and `bytes` of memory. Thread-safe.
double MeasureReadBytesPerSecond(int threads, size_t bytes);

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_LIMITS_H_
