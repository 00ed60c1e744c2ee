// SPDX-License-Identifier: Apache-2.0
// Stands in for this folder in a build without the CUDA Toolkit.
#include "kernels/backends.h"

namespace statelib::kernels {

std::vector<std::string> CudaDevices() { return {}; }

std::unique_ptr<Backend> MakeCudaBackend() {
  throw DeviceError(
      DeviceError::Kind::kUnsupported,
      "[cuda] this build has no CUDA backend; build with -DSTATELIB_CUDA=ON or take the cpu "
      "backend");
}

}  // namespace statelib::kernels
