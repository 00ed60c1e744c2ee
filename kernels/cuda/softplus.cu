// SPDX-License-Identifier: Apache-2.0
// Softplus of a matrix in its place: a pass of its own, for the tensor-core kernels have no
// registers and no room among their instructions for it.
#include <algorithm>

#include "kernels/cuda/tensor_product.h"
#include "kernels/exact/math.h"

namespace statelib::kernels::cuda {

namespace {

constexpr unsigned kThreads = 256, kBlocksMax = 4096;

__global__ void SoftplusKernel(float* values, size_t rows, size_t cols, size_t stride) {
  const size_t step = static_cast<size_t>(gridDim.x) * kThreads;
  for (size_t i = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x; i < rows * cols;
       i += step) {
    float& value = values[i / cols * stride + i % cols];
    value = exact::Softplus(value);
  }
}

}  // namespace

void LaunchSoftplus(const TensorOutput& out, cudaStream_t stream) {
  const size_t blocks = (out.rows * out.cols + kThreads - 1) / kThreads;
  SoftplusKernel<<<static_cast<unsigned>(std::min<size_t>(blocks, kBlocksMax)), kThreads, 0,
                   stream>>>(static_cast<float*>(out.data), out.rows, out.cols, out.stride);
  CheckCuda(cudaGetLastError(), "softplus");
}

}  // namespace statelib::kernels::cuda
