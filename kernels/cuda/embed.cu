// SPDX-License-Identifier: Apache-2.0
// Embedding: one block a token, one thread 16 bytes of a row, out of the panels that the head
// multiplies with. Traffic: a row read in pieces of 16 bytes (half
// of each 32-byte sector), a row written.
#include "kernels/cuda/launches.h"
#include "kernels/cuda/weight_vector.cuh"

namespace statelib::kernels::cuda {

namespace {

constexpr unsigned kThreads = 256;

template <WeightType kType>
__global__ void EmbedKernel(const std::byte* table, size_t vectors, size_t cols, const int32_t* ids,
                            float* out, size_t out_stride) {
  constexpr unsigned kInputs = VectorInputs(kType);
  const auto id = static_cast<size_t>(ids[blockIdx.x]);
  const auto* from = reinterpret_cast<const WeightVector<kType, kInputs>*>(table) +
                     id / kPanelOutputs * vectors * kPanelOutputs + id % kPanelOutputs;
  float* to = out + blockIdx.x * out_stride;
  for (size_t vector = threadIdx.x; vector < vectors; vector += kThreads) {
    const WeightVector<kType, kInputs> weights = from[vector * kPanelOutputs];
#pragma unroll
    for (unsigned i = 0; i < kInputs; ++i) {
      const size_t col = vector * kInputs + i;
      if (col < cols) to[col] = weights.At(i);
    }
  }
}

}  // namespace

void LaunchEmbed(const DeviceMatrix& table, const int32_t* ids, Rows out) {
  const auto kernel = table.type() == WeightType::kF32    ? EmbedKernel<WeightType::kF32>
                      : table.type() == WeightType::kBF16 ? EmbedKernel<WeightType::kBF16>
                                                          : EmbedKernel<WeightType::kF16>;
  kernel<<<GridX(out.rows), kThreads, 0, kStream>>>(table.data(), table.vectors(), table.cols(),
                                                    ids, out.f32(), out.stride);
  CheckCuda(cudaGetLastError(), "embed");
}

}  // namespace statelib::kernels::cuda
