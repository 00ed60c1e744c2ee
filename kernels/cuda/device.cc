// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/device.h"

#include <fmt/format.h>

#include <limits>
#include <new>
#include <string>

#include "kernels/check.h"

namespace statelib::kernels::cuda {

namespace {

/// A std::bad_alloc that says of what there was too little.
class DeviceMemoryError : public std::bad_alloc {
 public:
  explicit DeviceMemoryError(std::string message) : message_(std::move(message)) {}
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

}  // namespace

void CheckCuda(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // or the next launch would report this failure again
  const std::string message = fmt::format("[cuda] {}: {}", what, cudaGetErrorString(status));
  if (status == cudaErrorMemoryAllocation) throw DeviceMemoryError(message);
  throw DeviceError(DeviceError::Kind::kFailed, message);
}

unsigned GridX(size_t count) {
  STATELIB_CHECK(count > 0 && count <= std::numeric_limits<int>::max());
  return static_cast<unsigned>(count);
}

unsigned GridY(size_t count) {
  STATELIB_CHECK(count > 0 && count <= 65535);
  return static_cast<unsigned>(count);
}

DeviceBytes AllocateDevice(size_t bytes) {
  void* memory = nullptr;
  const cudaError_t status = cudaMallocAsync(&memory, bytes > 0 ? bytes : 1, kStream);
  if (status == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    size_t free_bytes = 0, all_bytes = 0;
    cudaMemGetInfo(&free_bytes, &all_bytes);
    throw DeviceMemoryError(fmt::format("[cuda] memory: wanted {} bytes, {} of {} are free", bytes,
                                        free_bytes, all_bytes));
  }
  CheckCuda(status, "allocate");
  return DeviceBytes(static_cast<std::byte*>(memory));
}

}  // namespace statelib::kernels::cuda
