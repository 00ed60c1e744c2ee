// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_KERNELS_DEVICE_VALUES_H_
#define STATELIB_TESTS_KERNELS_DEVICE_VALUES_H_

#include <cuda_runtime_api.h>

#include <bit>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "kernels/cuda/device.h"

/// Random values by seeds, and their way to the device and back, for the tests of CUDA components.
namespace statelib::kernels::cuda {

inline uint16_t ToBF16(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  bits += 0x7fff + (bits >> 16 & 1);
  return static_cast<uint16_t>(bits >> 16);
}
inline float FromBF16(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

inline std::vector<uint16_t> RandomBF16(size_t count, uint32_t seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  std::vector<uint16_t> values(count);
  for (uint16_t& value : values) value = ToBF16(normal(engine));
  return values;
}

inline std::vector<float> Uniform(size_t count, float low, float high, uint32_t seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> uniform(low, high);
  std::vector<float> values(count);
  for (float& value : values) value = uniform(engine);
  return values;
}

template <typename Element>
DeviceBytes ToDevice(const std::vector<Element>& values) {
  DeviceBytes bytes = AllocateDevice(values.size() * sizeof(Element));
  CheckCuda(cudaMemcpy(bytes.get(), values.data(), values.size() * sizeof(Element),
                       cudaMemcpyHostToDevice),
            "upload");
  return bytes;
}

template <typename Element>
std::vector<Element> FromDevice(const DeviceBytes& bytes, size_t count) {
  std::vector<Element> values(count);
  CheckCuda(cudaMemcpy(values.data(), bytes.get(), count * sizeof(Element), cudaMemcpyDeviceToHost),
            "download");
  return values;
}

template <typename Element>
Element* At(const DeviceBytes& bytes) {
  return reinterpret_cast<Element*>(bytes.get());
}

inline size_t Multiprocessors() {
  cudaDeviceProp device{};
  CheckCuda(cudaGetDeviceProperties(&device, 0), "device");
  return static_cast<size_t>(device.multiProcessorCount);
}

/// The first place where the bits of two lists differ, in words, or "".
template <typename Element>
std::string FirstDifference(const std::vector<Element>& got, const std::vector<Element>& want) {
  if (got.size() != want.size()) return "sizes differ";
  for (size_t i = 0; i < got.size(); ++i) {
    if (std::memcmp(&got[i], &want[i], sizeof(Element)) == 0) continue;
    return "element " + std::to_string(i) + ": got " + std::to_string(got[i]) + ", want " +
           std::to_string(want[i]);
  }
  return "";
}

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_TESTS_KERNELS_DEVICE_VALUES_H_
