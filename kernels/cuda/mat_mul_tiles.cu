// SPDX-License-Identifier: Apache-2.0
// A matrix product of many rows: bound by the rate of f32 multiply-adds.
//
// Block: a tile of rows by outputs. A thread has kThreadRows x kThreadOutputs sums in registers;
// the lanes of a warp are 4 rows by 8 outputs, so that a warp's 16-byte reads of shared memory are
// 128 contiguous bytes of weights or 4 rows of x. A ring of stages of 32 inputs is filled by
// asynchronous copies; every stage is walked in the order of its inputs, so that a sum is the same
// chain in every shape of tile. Three shapes: the large one has the least traffic, the smaller ones
// spread a product of few rows or outputs over the whole device.
// Traffic: weights once a tile of rows, x once a tile of outputs, mostly from the second cache.
#include "kernels/cuda/mat_mul.cuh"

namespace statelib::kernels::cuda {

namespace {

constexpr unsigned kWarp = 32;
constexpr unsigned kLaneRows = 4, kLaneOutputs = 8;
constexpr unsigned kStageInputs = kInputsPadding;
// Of a row of x in shared memory, in floats: four rows lie in different banks.
constexpr unsigned kInputsStride = kStageInputs + 4;

template <unsigned kRowsIn, unsigned kOutputsIn, unsigned kThreadRowsIn, unsigned kThreadOutputsIn,
          unsigned kStagesIn>
struct Shape {
  static constexpr unsigned kRows = kRowsIn, kOutputs = kOutputsIn;
  static constexpr unsigned kThreadRows = kThreadRowsIn, kThreadOutputs = kThreadOutputsIn;
  static constexpr unsigned kStages = kStagesIn;
  static constexpr unsigned kWarpRows = kLaneRows * kThreadRows;
  static constexpr unsigned kWarpOutputs = kLaneOutputs * kThreadOutputs;
  static constexpr unsigned kWarpsAcross = kOutputs / kWarpOutputs;
  static constexpr unsigned kThreads = kRows / kWarpRows * kWarpsAcross * kWarp;
};
using Large = Shape<128, 128, 8, 8, 3>;
using Medium = Shape<64, 64, 8, 4, 4>;
using Small = Shape<32, 32, 4, 4, 4>;

template <DType kType, typename S>
struct Ring {
  static constexpr unsigned kVector = VectorInputs(kType);
  static constexpr unsigned kStageVectors = kStageInputs / kVector;
  static constexpr unsigned kWeights = kStageVectors * S::kOutputs;  // 16-byte vectors
  static constexpr unsigned kInputs = S::kRows * kInputsStride;      // floats
  static constexpr size_t kBytes =
      S::kStages * (kWeights * sizeof(uint4) + kInputs * sizeof(float));

  __device__ explicit Ring(void* memory)
      : weights(static_cast<uint4*>(memory)),
        x(reinterpret_cast<float*>(weights + S::kStages * kWeights)) {}

  /// Begins to bring stage `index`. Outputs past the last panel read the last panel; their sums are
  /// never stored.
  __device__ void Bring(const MatMulArgs& args, unsigned index) const {
    uint4* to = weights + index % S::kStages * kWeights;
    constexpr unsigned kPanel = kPanelOutputs, kPanels = S::kOutputs / kPanel;
#pragma unroll
    for (unsigned i = threadIdx.x; i < kWeights; i += S::kThreads) {
      const unsigned vector = i / S::kOutputs, output = i % S::kOutputs;
      const unsigned panel = min(blockIdx.x * kPanels + output / kPanel, args.panels - 1);
      __pipeline_memcpy_async(to + i,
                              args.weights +
                                  (panel * args.vectors + index * kStageVectors + vector) * kPanel +
                                  output % kPanel,
                              16);
    }
    constexpr unsigned kQuads = kStageInputs / 4;
    float* x_to = x + index % S::kStages * kInputs;
#pragma unroll
    for (unsigned i = threadIdx.x; i < S::kRows * kQuads; i += S::kThreads) {
      BringInputs(args, blockIdx.y * S::kRows + i / kQuads, index * kStageInputs + i % kQuads * 4,
                  x_to + i / kQuads * kInputsStride + i % kQuads * 4);
    }
  }

  uint4* weights;  // [kStages][kStageVectors][kOutputs]
  float* x;        // [kStages][kRows][kInputsStride]
};

/// Goes on with a thread's sums over one stage. weights: its first output; x: its first row.
template <DType kType, typename S>
__device__ __forceinline__ void AddStage(const uint4* weights, const float* x,
                                         float (&sums)[S::kThreadRows][S::kThreadOutputs]) {
  using R = Ring<kType, S>;
#pragma unroll
  for (unsigned v = 0; v < R::kStageVectors; ++v) {
    uint4 w[S::kThreadOutputs];
#pragma unroll
    for (unsigned o = 0; o < S::kThreadOutputs; ++o)
      w[o] = weights[v * S::kOutputs + o * kLaneOutputs];
#pragma unroll
    for (unsigned quad = 0; quad < R::kVector; quad += 4) {
#pragma unroll
      for (unsigned r = 0; r < S::kThreadRows; ++r) {
        const float4 inputs = *reinterpret_cast<const float4*>(x + r * kLaneRows * kInputsStride +
                                                               v * R::kVector + quad);
        const float k[4] = {inputs.x, inputs.y, inputs.z, inputs.w};
#pragma unroll
        for (unsigned i = 0; i < 4; ++i) {
#pragma unroll
          for (unsigned o = 0; o < S::kThreadOutputs; ++o)
            sums[r][o] = __fmaf_rn(WeightAt<kType>(w[o], quad + i), k[i], sums[r][o]);
        }
      }
    }
  }
}

template <DType kType, typename S>
__global__ void __launch_bounds__(S::kThreads) TilesKernel(MatMulArgs args) {
  using R = Ring<kType, S>;
  extern __shared__ uint4 shared_memory[];
  const R ring(shared_memory);
  const unsigned warp = threadIdx.x / kWarp, lane = threadIdx.x % kWarp;
  const unsigned first_row = warp / S::kWarpsAcross * S::kWarpRows + lane / kLaneOutputs;
  const unsigned first_output = warp % S::kWarpsAcross * S::kWarpOutputs + lane % kLaneOutputs;
  const unsigned stages = static_cast<unsigned>(args.vectors) / R::kStageVectors;
#pragma unroll
  for (unsigned i = 0; i < S::kStages - 1; ++i) {
    if (i < stages) ring.Bring(args, i);
    __pipeline_commit();
  }
  float sums[S::kThreadRows][S::kThreadOutputs] = {};
  for (unsigned i = 0; i < stages; ++i) {
    __pipeline_wait_prior(S::kStages - 2);
    __syncthreads();  // stage i is here, and nobody reads the place of stage i - 1 any more
    if (i + S::kStages - 1 < stages) ring.Bring(args, i + S::kStages - 1);
    __pipeline_commit();
    AddStage<kType, S>(ring.weights + i % S::kStages * R::kWeights + first_output,
                       ring.x + i % S::kStages * R::kInputs + first_row * kInputsStride, sums);
  }
#pragma unroll
  for (unsigned r = 0; r < S::kThreadRows; ++r) {
#pragma unroll
    for (unsigned o = 0; o < S::kThreadOutputs; ++o) {
      StoreSum(args, blockIdx.y * S::kRows + first_row + r * kLaneRows,
               blockIdx.x * S::kOutputs + first_output + o * kLaneOutputs, sums[r][o]);
    }
  }
}

template <typename S>
size_t Blocks(const MatMulArgs& args) {
  return static_cast<size_t>((args.rows + S::kRows - 1) / S::kRows) *
         ((args.outputs + S::kOutputs - 1) / S::kOutputs);
}

template <DType kType, typename S>
void LaunchShape(const MatMulArgs& args) {
  const auto kernel = TilesKernel<kType, S>;
  constexpr size_t kBytes = Ring<kType, S>::kBytes;
  CheckCuda(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                 static_cast<int>(kBytes)),
            "mat_mul");
  const dim3 grid(GridX((args.outputs + S::kOutputs - 1) / S::kOutputs),
                  GridY((args.rows + S::kRows - 1) / S::kRows));
  kernel<<<grid, S::kThreads, kBytes, kStream>>>(args);
  CheckCuda(cudaGetLastError(), "mat_mul");
}

/// The time of a shape, in arbitrary units: rounds of blocks over the multiprocessors, each as long
/// as its tile is large, by the share of the multiply rate that the shape reaches.
template <typename S>
double EstimatedTime(const MatMulArgs& args, size_t multiprocessors, double share_of_rate) {
  const size_t rounds = (Blocks<S>(args) + multiprocessors - 1) / multiprocessors;
  return static_cast<double>(rounds * S::kRows * S::kOutputs) / share_of_rate;
}

template <DType kType>
void LaunchType(const MatMulArgs& args, size_t multiprocessors) {
  const double large = EstimatedTime<Large>(args, multiprocessors, 0.8),
               medium = EstimatedTime<Medium>(args, multiprocessors, 0.65),
               small = EstimatedTime<Small>(args, multiprocessors, 0.45);
  if (large <= medium && large <= small) return LaunchShape<kType, Large>(args);
  if (medium <= small) return LaunchShape<kType, Medium>(args);
  LaunchShape<kType, Small>(args);
}

}  // namespace

void LaunchTiles(DType dtype, const MatMulArgs& args, size_t multiprocessors) {
  switch (dtype) {
    case DType::kF32:
      return LaunchType<DType::kF32>(args, multiprocessors);
    case DType::kBF16:
      return LaunchType<DType::kBF16>(args, multiprocessors);
    case DType::kF16:
      return LaunchType<DType::kF16>(args, multiprocessors);
  }
}

}  // namespace statelib::kernels::cuda
