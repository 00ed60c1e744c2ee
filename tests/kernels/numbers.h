// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_KERNELS_NUMBERS_H_
#define STATELIB_TESTS_KERNELS_NUMBERS_H_

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/backend.h"

namespace statelib::kernels {

class Numbers {
 public:
  explicit Numbers(uint32_t seed) : engine_(seed) {}
  std::vector<float> Make(size_t count, float low = -1.0f, float high = 1.0f) {
    std::uniform_real_distribution<float> uniform(low, high);
    std::vector<float> values(count);
    for (float& value : values) value = uniform(engine_);
    return values;
  }

 private:
  std::mt19937 engine_;
};

/// Values in a backend's memory.
inline Buffer ToBackend(Backend& backend, const std::vector<float>& values) {
  Buffer buffer = backend.Allocate(std::max<size_t>(values.size(), 1));
  backend.Upload(values, buffer.data());
  return buffer;
}

inline std::vector<float> ToHost(Backend& backend, const Buffer& buffer) {
  std::vector<float> values(buffer.size());
  backend.Download(buffer.data(), values);
  return values;
}

inline bool SameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

inline WeightView View(const std::vector<float>& values, size_t rows, size_t cols) {
  return {reinterpret_cast<const std::byte*>(values.data()), WeightType::kF32, rows, cols};
}

inline WeightView View(const std::vector<uint16_t>& values, size_t rows, size_t cols,
                       WeightType type = WeightType::kBF16) {
  return {reinterpret_cast<const std::byte*>(values.data()), type, rows, cols};
}

}  // namespace statelib::kernels

#endif  // STATELIB_TESTS_KERNELS_NUMBERS_H_
