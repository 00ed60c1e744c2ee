// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_BACKENDS_H_
#define STATELIB_KERNELS_BACKENDS_H_

#include <memory>
#include <span>
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
/// DeviceError that says what is missing.
std::unique_ptr<Backend> MakeCudaBackend();

struct BackendOptions {
  int threads = 0;              ///< as MakeCpuBackend
  std::string instruction_set;  ///< the target of MakeCpuBackend
};

/// One backend that people choose by name. Adding one is a folder and a row in backends.cc.
struct BackendEntry {
  const char* name;         ///< "cpu"
  const char* description;  ///< for a listing: "slow and plain"
  std::unique_ptr<Backend> (*make)(const BackendOptions& options);
};

/// All of them, also those that this build or this machine lacks: they say so when they are made.
/// The first is what is taken where nobody chooses.
std::span<const BackendEntry> Backends();

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_BACKENDS_H_
