// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_BACKENDS_H_
#define STATELIB_KERNELS_BACKENDS_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/backend.h"

namespace statelib::kernels {

/// The obvious scalar implementation, one thread: the oracle that the others are compared with, bit
/// by bit.
std::unique_ptr<Backend> MakeReferenceBackend();

/// The CPU's instruction sets that this build and this machine can run, best first: "avx3_bf16",
/// "avx3_vnni", "avx3", "avx2", "neon". Empty where the machine has no fused multiply-add.
std::vector<std::string> CpuTargets();

/// How many processors this process may run on.
int UsableProcessors();

/// The SIMD backend. An empty target takes the one that $STATELIB_CPU_TARGET names, else the best
/// one, or the reference on a machine that has none. threads: 0 takes every processor that this
/// process may run on. Errors:
/// std::invalid_argument when `target` is not in CpuTargets().
std::unique_ptr<Backend> MakeCpuBackend(int threads, std::string_view target = {});

/// The names of the NVIDIA GPUs that this process may use; empty without one, without its driver,
/// and in a build without CUDA.
std::vector<std::string> CudaDevices();

/// The backend of the first of CudaDevices() (CUDA_VISIBLE_DEVICES chooses another one). All work
/// is queued on the device and returns at once; Upload, Download and Pack wait. Errors:
/// std::runtime_error that says what is missing.
std::unique_ptr<Backend> MakeCudaBackend();

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_BACKENDS_H_
