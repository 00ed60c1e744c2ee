// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_BENCH_HARDWARE_LIMITS_H_
#define STATELIB_TESTS_BENCH_HARDWARE_LIMITS_H_

#include <cstddef>

namespace statelib::bench {

/// The f32 multiply-adds a second that `threads` threads reach together on registers alone, with
/// the widest vectors of this machine. Takes about 0.1 s.
double MeasureMultiplyAddsPerSecond(int threads);

/// The bytes a second that `threads` threads read together from a working set of `bytes`, passed
/// over again and again: the memory's bandwidth when it exceeds the caches, else that of the cache
/// it fits. Takes about 0.2 s.
double MeasureReadBytesPerSecond(int threads, size_t bytes);

}  // namespace statelib::bench

#endif  // STATELIB_TESTS_BENCH_HARDWARE_LIMITS_H_
