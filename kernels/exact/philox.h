// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_EXACT_PHILOX_H_
#define STATELIB_KERNELS_EXACT_PHILOX_H_

#include <array>
#include <cstdint>

#include "kernels/host_device.h"

namespace statelib::kernels::exact {

/// Philox4x32-10: 128 random bits as a function of a counter and a key, so that any of a stream's
/// numbers is made alone, in any order and on any device. Not for secrets. Source: Salmon, Moraes,
/// Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3". Its published answers are in
/// tests/kernels/sample_math_test.cc.
STATELIB_HOST_DEVICE inline std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter,
                                                               std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xd2511f53} * counter[0], b = uint64_t{0xcd9e8d57} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key[0] += 0x9e3779b9;
    key[1] += 0xbb67ae85;
  }
  return counter;
}

/// The 64 random bits of a choice: the key is the seed, the counter the position, each with its low
/// word first; of the answer the first two words, the low one first.
STATELIB_HOST_DEVICE inline uint64_t RandomBits(uint64_t seed, uint64_t position) {
  const std::array<uint32_t, 4> words =
      Philox4x32({static_cast<uint32_t>(position), static_cast<uint32_t>(position >> 32), 0, 0},
                 {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  return words[0] | uint64_t{words[1]} << 32;
}

}  // namespace statelib::kernels::exact

#endif  // STATELIB_KERNELS_EXACT_PHILOX_H_
