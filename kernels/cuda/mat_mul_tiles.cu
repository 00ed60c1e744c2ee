// SPDX-License-Identifier: Apache-2.0
// A matrix product of many rows: bound by the rate of f32 multiply-adds.
//
// Block: a tile of rows by outputs. A thread has kThreadRows x kThreadOutputs sums in registers;
// the lanes of a warp are 4 rows by 8 outputs, so that a warp's 16-byte reads of shared memory are
// 128 contiguous bytes of weights or 4 rows of x. A ring of stages of 32 inputs is filled by
// asynchronous copies; every stage is walked in the order of its inputs, so that a sum is the same
// chain in every shape of tile. Four shapes: the large one has the least traffic, the smaller ones
// spread a product of few rows or outputs over the whole device.
// Traffic: weights once a tile of rows, x once a tile of outputs, mostly from the second cache.
#include <algorithm>

#include "kernels/check.h"
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
using Large = Shape<128, 128, 16, 8, 3>;
using Medium = Shape<64, 64, 8, 4, 4>;
using Small = Shape<32, 32, 4, 4, 4>;
using Narrow = Shape<16, 32, 2, 4, 4>;

template <WeightType kType, typename S>
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
    for (unsigned first = 0; first < kWeights; first += S::kThreads) {
      const unsigned i = first + threadIdx.x, vector = i / S::kOutputs, output = i % S::kOutputs;
      const unsigned panel = min(blockIdx.x * kPanels + output / kPanel, args.panels - 1);
      __pipeline_memcpy_async(to + i,
                              args.weights +
                                  (panel * args.vectors + index * kStageVectors + vector) * kPanel +
                                  output % kPanel,
                              16);
    }
    BringInputs<kStageInputs, S::kThreads>(args,
                                           {blockIdx.y * S::kRows, S::kRows, index * kStageInputs,
                                            x + index % S::kStages * kInputs, kInputsStride},
                                           threadIdx.x);
  }

  uint4* weights;  // [kStages][kStageVectors][kOutputs]
  float* x;        // [kStages][kRows][kInputsStride]
};

/// The weights of a thread's outputs for four inputs.
template <WeightType kType, typename S>
struct WeightQuads {
  __device__ __forceinline__ void Read(const uint4* weights, unsigned quad) {
    constexpr unsigned kQuads = VectorInputs(kType) / 4;  // in 16 bytes
#pragma unroll
    for (unsigned o = 0; o < S::kThreadOutputs; ++o) {
      at[o] = reinterpret_cast<const WeightVector<kType, 4>*>(
          weights + quad / kQuads * S::kOutputs + o * kLaneOutputs)[quad % kQuads];
    }
  }

  WeightVector<kType, 4> at[S::kThreadOutputs];
};

/// The inputs of a thread's rows, four of each.
template <typename S>
struct InputQuads {
  __device__ __forceinline__ void Read(const float* x, unsigned quad) {
#pragma unroll
    for (unsigned r = 0; r < S::kThreadRows; ++r)
      at[r] = *reinterpret_cast<const float4*>(x + r * kLaneRows * kInputsStride + quad * 4);
  }

  float4 at[S::kThreadRows];
};

template <WeightType kType, typename S>
using Sums = float[S::kThreadRows][S::kThreadOutputs];

template <WeightType kType, typename S>
__device__ __forceinline__ void AddQuad(const WeightQuads<kType, S>& weights,
                                        const InputQuads<S>& inputs, Sums<kType, S>& sums) {
#pragma unroll
  for (unsigned r = 0; r < S::kThreadRows; ++r) {
    const float four[4] = {inputs.at[r].x, inputs.at[r].y, inputs.at[r].z, inputs.at[r].w};
#pragma unroll
    for (unsigned i = 0; i < 4; ++i) {
#pragma unroll
      for (unsigned o = 0; o < S::kThreadOutputs; ++o)
        sums[r][o] = __fmaf_rn(weights.at[o].At(i), four[i], sums[r][o]);
    }
  }
}

/// Goes on with a thread's sums over one stage. weights: its first output; x: its first row.
/// Operands are read four inputs ahead of their use; of a tall tile only the weights, for want of
/// registers.
template <WeightType kType, typename S>
__device__ __forceinline__ void AddStage(const uint4* weights, const float* x,
                                         Sums<kType, S>& sums) {
  constexpr unsigned kQuads = kStageInputs / 4;
  constexpr bool kInputsAhead = S::kThreadRows <= 8;
  WeightQuads<kType, S> even_weights, odd_weights;
  InputQuads<S> even_inputs, odd_inputs;
  even_weights.Read(weights, 0);
  if (kInputsAhead) even_inputs.Read(x, 0);
#pragma unroll 1
  for (unsigned quad = 0; quad < kQuads; quad += 2) {
    odd_weights.Read(weights, quad + 1);
    (kInputsAhead ? odd_inputs : even_inputs).Read(x, kInputsAhead ? quad + 1 : quad);
    AddQuad<kType, S>(even_weights, even_inputs, sums);
    const unsigned next = min(quad + 2, kQuads - 1);
    even_weights.Read(weights, next);
    (kInputsAhead ? even_inputs : odd_inputs).Read(x, kInputsAhead ? next : quad + 1);
    AddQuad<kType, S>(odd_weights, odd_inputs, sums);
  }
}

template <WeightType kType, typename S>
__global__ void __launch_bounds__(S::kThreads, 1) TilesKernel(MatMulArgs args) {
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
  Sums<kType, S> sums = {};
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

template <WeightType kType, typename S>
void LaunchShape(const MatMulArgs& args) {
  constexpr auto kKernel = TilesKernel<kType, S>;
  constexpr size_t kBytes = Ring<kType, S>::kBytes;
  AllowSharedMemory<kKernel>(kBytes, "mat_mul");
  const dim3 grid(GridX((args.outputs + S::kOutputs - 1) / S::kOutputs),
                  GridY((args.rows + S::kRows - 1) / S::kRows));
  kKernel<<<grid, S::kThreads, kBytes, kStream>>>(args);
  CheckCuda(cudaGetLastError(), "mat_mul");
}

/// What a block of a shape takes on an H100, in microseconds for 1536 inputs: alone on its
/// multiprocessor, and each further one there, whose waits overlap.
struct BlockTime {
  double first, further;
};

template <typename S>
double EstimatedTime(const MatMulArgs& args, size_t multiprocessors, const BlockTime& time) {
  const size_t rounds = (Blocks<S>(args) + multiprocessors - 1) / multiprocessors;
  return time.first + static_cast<double>(rounds - 1) * time.further;
}

template <WeightType kType>
void LaunchType(const MatMulArgs& args, size_t multiprocessors) {
  const double large = EstimatedTime<Large>(args, multiprocessors, {183, 170}),
               medium = EstimatedTime<Medium>(args, multiprocessors, {63, 48}),
               small = EstimatedTime<Small>(args, multiprocessors, {38, 14}),
               narrow = EstimatedTime<Narrow>(args, multiprocessors, {27, 9.5});
  const double least = std::min({large, medium, small, narrow});
  if (large == least) return LaunchShape<kType, Large>(args);
  if (medium == least) return LaunchShape<kType, Medium>(args);
  if (small == least) return LaunchShape<kType, Small>(args);
  LaunchShape<kType, Narrow>(args);
}

}  // namespace

void LaunchTiles(WeightType type, const MatMulArgs& args, size_t multiprocessors) {
  switch (type) {
    case WeightType::kF32:
      return LaunchType<WeightType::kF32>(args, multiprocessors);
    case WeightType::kBF16:
      return LaunchType<WeightType::kBF16>(args, multiprocessors);
    case WeightType::kF16:
      return LaunchType<WeightType::kF16>(args, multiprocessors);
    default:
      STATELIB_CHECK(false && "a matrix on the device has a plain type");
  }
}

}  // namespace statelib::kernels::cuda
