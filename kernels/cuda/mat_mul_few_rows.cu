// SPDX-License-Identifier: Apache-2.0
// A matrix product of 1 to 16 rows: bound by one pass over the weights, or, in a small matrix, by
// the chain of one output (4 cycles an input).
//
// Block: one panel of 32 outputs. Each computing warp takes up to 4 rows, its lanes are the
// outputs, each lane has the sums of its output in registers. Four loading warps keep a ring of
// stages in shared memory filled: a stage is 16 kB of the panel (32 vectors of 16 bytes an output)
// and the same inputs of x, so that three to four stages, about 50 to 64 kB, are on their way at
// any time: that hides the latency of memory even where a matrix has only a few dozen panels.
// Traffic: weights once for all rows; x once a block, from the second cache.
#include "kernels/cuda/mat_mul.cuh"

namespace statelib::kernels::cuda {

namespace {

constexpr unsigned kWarp = 32;
constexpr unsigned kLoaders = 4 * kWarp;
constexpr unsigned kStages = 5;
constexpr unsigned kStageVectors = 32;  // of each output
constexpr unsigned kRowsOfWarpMax = 4;

template <DType kType>
struct Ring {
  static constexpr unsigned kVector = VectorInputs(kType);
  static constexpr unsigned kStageInputs = kStageVectors * kVector;
  static constexpr unsigned kWeights = kStageVectors * kPanelOutputs;  // 16-byte vectors

  static constexpr size_t Bytes(unsigned rows) {
    return kStages * (kWeights * sizeof(uint4) + rows * kStageInputs * sizeof(float));
  }

  __device__ Ring(void* memory, unsigned rows_in)
      : weights(static_cast<uint4*>(memory)),
        x(reinterpret_cast<float*>(weights + kStages * kWeights)),
        rows(rows_in) {}

  __device__ uint4* WeightsOf(unsigned stage) const { return weights + stage * kWeights; }
  __device__ float* InputsOf(unsigned stage) const { return x + stage * rows * kStageInputs; }

  /// The loading warps begin to bring stage `index` of the panel.
  __device__ void Bring(const MatMulArgs& args, unsigned index, unsigned loader) const {
    const unsigned first = index * kStageVectors;
    const unsigned count = min(kStageVectors, static_cast<unsigned>(args.vectors) - first);
    const uint4* from = args.weights + (blockIdx.x * args.vectors + first) * kPanelOutputs;
    uint4* to = WeightsOf(index % kStages);
#pragma unroll
    for (unsigned i = loader; i < kWeights; i += kLoaders)
      if (i < count * kPanelOutputs) __pipeline_memcpy_async(to + i, from + i, 16);
    constexpr unsigned kQuads = kStageInputs / 4;
    float* x_to = InputsOf(index % kStages);
    for (unsigned i = loader; i < rows * kQuads; i += kLoaders) {
      BringInputs(args, i / kQuads, index * kStageInputs + i % kQuads * 4,
                  x_to + i / kQuads * kStageInputs + i % kQuads * 4);
    }
  }

  uint4* weights;  // [kStages][kStageVectors][32]
  float* x;        // [kStages][rows][kStageInputs]
  unsigned rows;
};

/// Goes on with the sums over kCount vectors of inputs.
template <DType kType, unsigned kRows, unsigned kCount>
__device__ __forceinline__ void AddVectors(const uint4* weights, const float* x,
                                           float (&sums)[kRows]) {
  using R = Ring<kType>;
#pragma unroll
  for (unsigned v = 0; v < kCount; ++v) {
    const uint4 w = weights[v * kPanelOutputs];
#pragma unroll
    for (unsigned quad = 0; quad < R::kVector; quad += 4) {
      float4 inputs[kRows];
#pragma unroll
      for (unsigned r = 0; r < kRows; ++r) {
        inputs[r] =
            *reinterpret_cast<const float4*>(x + r * R::kStageInputs + v * R::kVector + quad);
      }
#pragma unroll
      for (unsigned r = 0; r < kRows; ++r) {
        sums[r] = __fmaf_rn(WeightAt<kType>(w, quad), inputs[r].x, sums[r]);
        sums[r] = __fmaf_rn(WeightAt<kType>(w, quad + 1), inputs[r].y, sums[r]);
        sums[r] = __fmaf_rn(WeightAt<kType>(w, quad + 2), inputs[r].z, sums[r]);
        sums[r] = __fmaf_rn(WeightAt<kType>(w, quad + 3), inputs[r].w, sums[r]);
      }
    }
  }
}

/// kRows: rows of a computing warp. The block's last four warps load.
template <DType kType, unsigned kRows>
__global__ void FewRowsKernel(MatMulArgs args) {
  using R = Ring<kType>;
  extern __shared__ uint4 shared_memory[];
  const unsigned computing = blockDim.x - kLoaders, warp = threadIdx.x / kWarp;
  const R ring(shared_memory, computing / kWarp * kRows);
  const bool loads = threadIdx.x >= computing;
  const unsigned loader = threadIdx.x - computing, lane = threadIdx.x % kWarp;
  const auto vectors = static_cast<unsigned>(args.vectors);
  const unsigned stages = (vectors + kStageVectors - 1) / kStageVectors;
  if (loads) {
    for (unsigned i = 0; i < kStages - 1; ++i) {
      if (i < stages) ring.Bring(args, i, loader);
      __pipeline_commit();
    }
  }
  float sums[kRows] = {};
  for (unsigned i = 0; i < stages; ++i) {
    if (loads) __pipeline_wait_prior(kStages - 2);
    __syncthreads();  // stage i is here, and nobody reads the place of stage i - 1 any more
    if (loads) {
      if (i + kStages - 1 < stages) ring.Bring(args, i + kStages - 1, loader);
      __pipeline_commit();
      continue;
    }
    const uint4* weights = ring.WeightsOf(i % kStages) + lane;
    const float* x = ring.InputsOf(i % kStages) + warp * kRows * R::kStageInputs;
    const unsigned count = min(kStageVectors, vectors - i * kStageVectors);
    if (count == kStageVectors) {
      AddVectors<kType, kRows, kStageVectors>(weights, x, sums);
      continue;
    }
    constexpr unsigned kUnit = kInputsPadding / R::kVector;
    for (unsigned v = 0; v < count; v += kUnit) {
      AddVectors<kType, kRows, kUnit>(weights + v * kPanelOutputs, x + v * R::kVector, sums);
    }
  }
  if (loads) return;
#pragma unroll
  for (unsigned r = 0; r < kRows; ++r)
    StoreSum(args, warp * kRows + r, blockIdx.x * kPanelOutputs + lane, sums[r]);
}

template <DType kType, unsigned kRows>
void Launch(const MatMulArgs& args) {
  const auto kernel = FewRowsKernel<kType, kRows>;
  const unsigned warps = (args.rows + kRows - 1) / kRows;
  CheckCuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                 static_cast<int>(Ring<kType>::Bytes(kFewRows))),
            "mat_mul");
  kernel<<<GridX(args.panels), warps * kWarp + kLoaders, Ring<kType>::Bytes(warps * kRows),
           kStream>>>(args);
  CheckCuda(cudaGetLastError(), "mat_mul");
}

template <DType kType>
void LaunchType(const MatMulArgs& args) {
  if (args.rows == 1) return Launch<kType, 1>(args);
  if (args.rows == 2) return Launch<kType, 2>(args);
  Launch<kType, kRowsOfWarpMax>(args);
}

}  // namespace

void LaunchFewRows(DType dtype, const MatMulArgs& args) {
  switch (dtype) {
    case DType::kF32:
      return LaunchType<DType::kF32>(args);
    case DType::kBF16:
      return LaunchType<DType::kBF16>(args);
    case DType::kF16:
      return LaunchType<DType::kF16>(args);
  }
}

}  // namespace statelib::kernels::cuda
