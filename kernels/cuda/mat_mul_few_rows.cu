// SPDX-License-Identifier: Apache-2.0
// A matrix product of 1 to 8 rows: bound by one pass over the weights, or, in a small matrix, by
// the chain of one output (4 cycles an input).
//
// Block: one panel of 32 outputs. Each computing warp takes up to 4 rows, its lanes are the
// outputs, each lane has the sums of its output in registers. Four loading warps keep a ring of
// stages in shared memory filled: a stage is 16 kB of the panel (32 vectors of 16 bytes an output)
// and the same inputs of x, so that three to four stages, about 50 to 64 kB, are on their way at
// any time: that hides the latency of memory even where a matrix has only a few dozen panels.
// Traffic: weights once for all rows; x once a block, from the second cache.
#include "kernels/check.h"
#include "kernels/cuda/mat_mul.cuh"

namespace statelib::kernels::cuda {

namespace {

constexpr unsigned kWarp = 32;
constexpr unsigned kLoaders = 4 * kWarp;
constexpr unsigned kStages = 5;
constexpr unsigned kStageVectors = 32;  // of each output
constexpr unsigned kRowsOfWarpMax = 4;
constexpr unsigned kThreadsMax = kLoaders + kFewRows / kRowsOfWarpMax * kWarp;

template <WeightType kType>
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
    for (unsigned i = 0; i < kWeights; i += kLoaders) {
      if (i + loader < count * kPanelOutputs)
        __pipeline_memcpy_async(to + i + loader, from + i + loader, 16);
    }
    BringInputs<kStageInputs, kLoaders>(
        args, {0, rows, index * kStageInputs, InputsOf(index % kStages), kStageInputs}, loader);
  }

  uint4* weights;  // [kStages][kStageVectors][32]
  float* x;        // [kStages][rows][kStageInputs]
  unsigned rows;
};

/// The operands of a computing lane for a few inputs. They are read one unit ahead of their use:
/// the chain of a sum leaves no slack in which to wait for shared memory.
template <WeightType kType, unsigned kRows>
struct Unit {
  static constexpr unsigned kVector = VectorInputs(kType);
  static constexpr unsigned kInputs = kRows == kRowsOfWarpMax ? 8 : 16;
  static constexpr unsigned kVectors = kInputs / kVector;

  /// weights: the panel at this lane's output; x: this warp's first row.
  __device__ __forceinline__ void Read(const uint4* weights, const float* x, unsigned unit) {
#pragma unroll
    for (unsigned v = 0; v < kVectors; ++v) {
      w[v] = reinterpret_cast<const WeightVector<kType, kVector>*>(
          weights)[(unit * kVectors + v) * kPanelOutputs];
    }
#pragma unroll
    for (unsigned r = 0; r < kRows; ++r) {
#pragma unroll
      for (unsigned quad = 0; quad < kInputs / 4; ++quad) {
        inputs[r][quad] = *reinterpret_cast<const float4*>(x + r * kStageVectors * kVector +
                                                           unit * kInputs + quad * 4);
      }
    }
  }

  __device__ __forceinline__ void AddTo(float (&sums)[kRows]) const {
#pragma unroll
    for (unsigned i = 0; i < kInputs; i += 4) {
#pragma unroll
      for (unsigned r = 0; r < kRows; ++r) {
        const float4 four = inputs[r][i / 4];
        sums[r] = __fmaf_rn(w[i / kVector].At(i % kVector), four.x, sums[r]);
        sums[r] = __fmaf_rn(w[(i + 1) / kVector].At((i + 1) % kVector), four.y, sums[r]);
        sums[r] = __fmaf_rn(w[(i + 2) / kVector].At((i + 2) % kVector), four.z, sums[r]);
        sums[r] = __fmaf_rn(w[(i + 3) / kVector].At((i + 3) % kVector), four.w, sums[r]);
      }
    }
  }

  WeightVector<kType, kVector> w[kVectors];
  float4 inputs[kRows][kInputs / 4];
};

/// Goes on with a lane's sums over `count` vectors of inputs, a multiple of the padding.
template <WeightType kType, unsigned kRows>
__device__ __forceinline__ void AddStage(const uint4* weights, const float* x, unsigned count,
                                         float (&sums)[kRows]) {
  using U = Unit<kType, kRows>;
  static_assert(kInputsPadding % (2 * U::kInputs) == 0);
  const unsigned units = count / U::kVectors;
  U even, odd;
  even.Read(weights, x, 0);
#pragma unroll 1
  for (unsigned unit = 0; unit < units; unit += 2) {
    odd.Read(weights, x, unit + 1);
    even.AddTo(sums);
    even.Read(weights, x, min(unit + 2, units - 1));
    odd.AddTo(sums);
  }
}

/// kRows: rows of a computing warp. The block's last four warps load.
template <WeightType kType, unsigned kRows>
__global__ void __launch_bounds__(kThreadsMax) FewRowsKernel(MatMulArgs args) {
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
    AddStage<kType, kRows>(weights, x, count, sums);
  }
  if (loads) return;
#pragma unroll
  for (unsigned r = 0; r < kRows; ++r)
    StoreSum(args, warp * kRows + r, blockIdx.x * kPanelOutputs + lane, sums[r]);
}

template <WeightType kType, unsigned kRows>
void Launch(const MatMulArgs& args) {
  constexpr auto kKernel = FewRowsKernel<kType, kRows>;
  AllowSharedMemory<kKernel>(Ring<kType>::Bytes(kFewRows), "mat_mul");
  const unsigned warps = (args.rows + kRows - 1) / kRows;
  kKernel<<<GridX(args.panels), warps * kWarp + kLoaders, Ring<kType>::Bytes(warps * kRows),
            kStream>>>(args);
  CheckCuda(cudaGetLastError(), "mat_mul");
}

template <WeightType kType>
void LaunchType(const MatMulArgs& args) {
  if (args.rows == 1) return Launch<kType, 1>(args);
  if (args.rows == 2) return Launch<kType, 2>(args);
  Launch<kType, kRowsOfWarpMax>(args);
}

}  // namespace

void LaunchFewRows(WeightType type, const MatMulArgs& args) {
  switch (type) {
    case WeightType::kF32:
      return LaunchType<WeightType::kF32>(args);
    case WeightType::kBF16:
      return LaunchType<WeightType::kBF16>(args);
    case WeightType::kF16:
      return LaunchType<WeightType::kF16>(args);
    default:
      STATELIB_CHECK(false && "a matrix on the device has a plain type");
  }
}

}  // namespace statelib::kernels::cuda
