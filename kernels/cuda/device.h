// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_DEVICE_H_
#define STATELIB_KERNELS_CUDA_DEVICE_H_

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>
#include <span>

#include "kernels/backend.h"

namespace statelib::kernels::cuda {

/// The one stream of all work and all memory: the device's default stream. Memory given back is
/// reused only by work that was asked for later, so nothing waits for a release.
inline constexpr cudaStream_t kStream = nullptr;

/// Throws when a call of the CUDA runtime failed. `what` names the operation: "rms_norm". Errors:
/// std::bad_alloc for memory, DeviceError "[cuda] what: the runtime's text" for all else.
void CheckCuda(cudaError_t status, const char* what);

/// Lets a kernel take up to `bytes` of shared memory, more than the 48 kB that need no word; asks
/// the driver once a process.
template <auto kKernel>
void AllowSharedMemory(size_t bytes, const char* what) {
  static const cudaError_t status =
      cudaFuncSetAttribute(reinterpret_cast<const void*>(kKernel),
                           cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
  CheckCuda(status, what);
}

/// The first extent of a grid, for `count` blocks. Checks that it is 1 to 2^31 - 1.
unsigned GridX(size_t count);
/// The second extent. Checks that it is 1 to 65,535.
unsigned GridY(size_t count);

struct DeviceDelete {
  void operator()(std::byte* bytes) const { cudaFreeAsync(bytes, kStream); }
};
using DeviceBytes = std::unique_ptr<std::byte, DeviceDelete>;

/// Memory of the device, aligned to 256 bytes, contents undefined. Errors: std::bad_alloc whose
/// what() says how much was wanted and how much is free.
DeviceBytes AllocateDevice(size_t bytes);

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_DEVICE_H_
