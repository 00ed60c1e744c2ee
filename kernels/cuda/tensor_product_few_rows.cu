// SPDX-License-Identifier: Apache-2.0
// A tensor-core product of 1 to 8 rows: bound by one pass over the weights.
//
// Block: sixteen outputs, all inputs. Its warps take the chains in turn by mma.sync, the weights as
// first operand, straight from global memory: a warp asks for half a chain of its outputs (4 kB)
// before it uses the first of them, so that 24 warps keep 96 kB on their way to a multiprocessor.
// The sums of the chains meet in shared memory, where they are added in order. Which of the sixteen
// inputs of a step a thread holds is free, for the tensor core adds them exactly before it cuts:
// here four in a row. Traffic: weights once; x once a block, from the second cache.
#include "kernels/check.h"
#include "kernels/cuda/tensor_product.cuh"

namespace statelib::kernels::cuda {

namespace {

constexpr unsigned kWarp = 32;
constexpr unsigned kBlockOutputs = 16, kRows = kTensorFewRows, kSumsStride = kBlockOutputs + 1;
constexpr unsigned kTilesAhead = 2;  // of 64 inputs
constexpr unsigned kSteps = kStepInputs / 16;
constexpr size_t kSharedMax = 96 << 10;

struct FewRowsArgs {
  const std::byte* weights;
  const uint16_t* x;
  size_t x_stride;
  unsigned inputs, tiles, chain_tiles, chains;
  TensorStore store;
};

/// Four inputs of a thread: eight bytes that are read once, and by nobody else.
__device__ __forceinline__ uint2 ReadWeights(const std::byte* from) {
  uint2 four;
  asm volatile("ld.global.nc.L1::no_allocate.L2::128B.v2.u32 {%0, %1}, [%2];"
               : "=r"(four.x), "=r"(four.y)
               : "l"(from));
  return four;
}

/// Inputs k to k + 3 of a row, +0 past its end.
__device__ __forceinline__ uint2 ReadInputs(const uint16_t* row, unsigned k, unsigned inputs) {
  if (k >= inputs) return {0, 0};
  uint2 four = __ldg(reinterpret_cast<const uint2*>(row + k));
  const unsigned left = inputs - k;
  if (left < 4) four.y &= left == 3 ? 0xffffu : 0u;
  if (left == 1) four.x &= 0xffffu;
  return four;
}

/// sums += weights [16 outputs, 16 inputs] · inputs [16 inputs, 8 rows]: of output lane / 4 (sums 0
/// and 1) and of the eighth after it (2 and 3) the rows lane % 4 * 2 and the next one. low: four
/// weights of the first output, high: of the eighth after it.
__device__ __forceinline__ void Multiply(float (&sums)[4], uint2 low, uint2 high, uint2 inputs) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(low.x), "r"(high.x), "r"(low.y), "r"(high.y), "r"(inputs.x), "r"(inputs.y));
}

/// What a thread reads of up to kTilesAhead tiles of 64 inputs.
struct Operands {
  uint2 low[kTilesAhead][kSteps], high[kTilesAhead][kSteps], inputs[kTilesAhead][kSteps];

  __device__ __forceinline__ void Read(const FewRowsArgs& args, unsigned first, unsigned count) {
    const unsigned lane = threadIdx.x % kWarp, output = lane / 4, quarter = lane % 4;
    const unsigned band = blockIdx.x / (kTileOutputs / kBlockOutputs),
                   in_band = blockIdx.x % (kTileOutputs / kBlockOutputs) * kBlockOutputs + output;
    const std::byte* tile = args.weights +
                            (static_cast<size_t>(band) * args.tiles + first) * kTileBytes +
                            in_band * (kStepInputs * 2);
    const uint16_t* row = args.x + output * args.x_stride;
    const bool has_row = output < args.store.rows;
#pragma unroll
    for (unsigned i = 0; i < kTilesAhead; ++i, tile += kTileBytes) {
      if (i >= count) break;
#pragma unroll
      for (unsigned step = 0; step < kSteps; ++step) {
        const std::byte* at = tile + ((2 * step + quarter / 2) ^ output) * 16 + quarter % 2 * 8;
        low[i][step] = ReadWeights(at);
        high[i][step] = ReadWeights(at + 8 * kStepInputs * 2);
        const unsigned k = (first + i) * kStepInputs + step * 16 + quarter * 4;
        inputs[i][step] = has_row ? ReadInputs(row, k, args.inputs) : uint2{0, 0};
      }
    }
  }

  __device__ __forceinline__ void AddTo(float (&sums)[4], unsigned count) const {
#pragma unroll
    for (unsigned i = 0; i < kTilesAhead; ++i) {
      if (i >= count) break;
#pragma unroll
      for (unsigned step = 0; step < kSteps; ++step)
        Multiply(sums, low[i][step], high[i][step], inputs[i][step]);
    }
  }
};

/// kWarpsMax: of a block, of which kResident share a multiprocessor.
template <unsigned kWarpsMax, unsigned kResident>
__global__ void __launch_bounds__(kWarpsMax* kWarp, kResident)
    FewRowsKernel(const __grid_constant__ FewRowsArgs args) {
  extern __shared__ float chain_sums[];  // [chains][kRows][kSumsStride]
  const unsigned lane = threadIdx.x % kWarp;
  for (unsigned chain = threadIdx.x / kWarp; chain < args.chains; chain += blockDim.x / kWarp) {
    float sums[4] = {};
    const unsigned last = min((chain + 1) * args.chain_tiles, args.tiles);
    for (unsigned first = chain * args.chain_tiles; first < last; first += kTilesAhead) {
      Operands operands;
      operands.Read(args, first, last - first);
      operands.AddTo(sums, last - first);
    }
    float* to = chain_sums + (chain * kRows + lane % 4 * 2) * kSumsStride + lane / 4;
    to[0] = sums[0];
    to[kSumsStride] = sums[1];
    to[8] = sums[2];
    to[kSumsStride + 8] = sums[3];
  }
  __syncthreads();
  for (unsigned i = threadIdx.x; i < args.store.rows * kBlockOutputs; i += blockDim.x) {
    const unsigned row = i / kBlockOutputs, output = i % kBlockOutputs;
    const float* from = chain_sums + row * kSumsStride + output;
    float sum = 0;
#pragma unroll 4
    for (unsigned chain = 0; chain < args.chains; ++chain)
      sum = __fadd_rn(sum, from[chain * (kRows * kSumsStride)]);
    StoreOne(args.store, row, blockIdx.x * kBlockOutputs + output, sum);
  }
}

template <unsigned kWarpsMax, unsigned kResident>
void Launch(const FewRowsArgs& args, unsigned blocks, size_t shared_bytes, cudaStream_t stream) {
  constexpr auto kKernel = FewRowsKernel<kWarpsMax, kResident>;
  AllowSharedMemory<kKernel>(kSharedMax, "tensor few rows");
  // As many warps as let all of them take the same number of chains, or one less.
  const unsigned rounds = (args.chains + kWarpsMax - 1) / kWarpsMax;
  const unsigned warps = (args.chains + rounds - 1) / rounds;
  kKernel<<<blocks, warps * kWarp, shared_bytes, stream>>>(args);
  CheckCuda(cudaGetLastError(), "tensor few rows");
}

}  // namespace

bool LaunchTensorFewRows(const TensorProductArgs& product) {
  STATELIB_CHECK(product.x.rows <= kTensorFewRows);
  FewRowsArgs args{};
  args.store = StoreOf(product);
  args.weights = product.weights.data();
  args.x = product.x.data;
  args.x_stride = product.x.stride;
  args.inputs = static_cast<unsigned>(product.x.cols);
  args.tiles = static_cast<unsigned>(product.weights.input_tiles());
  args.chain_tiles = static_cast<unsigned>(product.chain_inputs / kStepInputs);
  args.chains = (args.tiles + args.chain_tiles - 1) / args.chain_tiles;
  const size_t shared_bytes = size_t{args.chains} * kRows * kSumsStride * sizeof(float);
  if (shared_bytes > kSharedMax) return false;
  const unsigned blocks = GridX((product.out.cols + kBlockOutputs - 1) / kBlockOutputs);
  // Where every block has a multiprocessor to itself, more warps keep more on its way.
  const auto launch = blocks <= product.multiprocessors ? Launch<20, 1> : Launch<8, 3>;
  launch(args, blocks, shared_bytes, product.stream);
  return true;
}

}  // namespace statelib::kernels::cuda
