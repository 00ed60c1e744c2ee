// SPDX-License-Identifier: Apache-2.0
// Mamba-2's scan over many rows, chunk after chunk. A block takes 64 channels of a head through all
// chunks of a sequence. Four of its warps keep S of 16 channels each in registers, as sums of the
// tensor core, and advance it; twice four take turns with the chunks' y of the same channels, from
// S before the chunk, which comes to them as bf16 in shared memory. Both work on transposed
// products, channels by tokens or states, so that x is a first operand for either. Four more have
// the copy engine bring the rows of the next chunk and make its weights M. All meet once a chunk,
// but y has two of these intervals' time.
//
// Traffic: x and z read and y written once; B, C and their products once a head, from the second
// cache; the state once a call.
#include "kernels/cuda/device.h"
#include "kernels/cuda/mamba2_chunk_bring.cuh"
#include "kernels/cuda/mamba2_chunk_weights.cuh"
#include "kernels/cuda/tensor_boxes.h"

namespace statelib::kernels::cuda {

namespace {

/// A warp that keeps S of sixteen channels, one of four that multiply together. kHalves: of 64
/// states.
template <unsigned kHalves>
class StateWarp {
 public:
  static constexpr unsigned kSteps = kHalves * 4;  // of sixteen states

  __device__ __forceinline__ StateWarp(const ChunkBlock& block, unsigned tile)
      : block_(block), first_(tile * 16), lane_(threadIdx.x % kWarp) {
    Each([&](float& s, const float* at) { s = at != nullptr ? *at : 0.0f; });
    Show(0);
  }
  __device__ __forceinline__ void Begin() {}

  __device__ __forceinline__ void Chunk(unsigned chunk) {
    if (block_.TokensOf(chunk).end < kTokens) return;
    block_.WaitForRows(chunk);
    float added[2 * kSteps][4];
    uint32_t high[kTokens / 16][4], low[kTokens / 16][4];
    const uint32_t b = WithMoreColumns(OperandAt(block_.B(chunk, 0).at), ChunkMemory::kHalfBytes);
#pragma unroll
    for (unsigned k = 0; k < kTokens / 16; ++k) {
      uint32_t x[4];
      block_.X(chunk).ReadFirstTransposed(x, k * 16, first_);
      Split(chunk, k * 16, x, high[k], low[k]);
      FenceSums();
      MultiplyByColumns(added, high[k], b + k * kSixteenRows, k > 0);
      MultiplyByColumns(added, low[k], b + k * kSixteenRows, true);
      CommitProducts();
    }
    WaitForProducts<0>();
    const float decay = ReadShared<float>(block_.Scales(chunk) + (kTokens - 1) * 4);
#pragma unroll
    for (unsigned j = 0; j < 2 * kSteps; ++j)
#pragma unroll
      for (unsigned i = 0; i < 4; ++i) s_[j][i] = __fmaf_rn(decay, s_[j][i], added[j][i]);
    is_changed_ = true;
    Show(chunk + 1);
  }

  __device__ __forceinline__ void Finish() {
    if (!is_changed_) return;
    Each([](float s, float* at) {
      if (at != nullptr) *at = s;
    });
  }

 private:
  __device__ __forceinline__ void Split(unsigned chunk, unsigned s, const uint32_t (&x)[4],
                                        uint32_t (&high)[4], uint32_t (&low)[4]) const {
    const Shared weights = block_.Scales(chunk) + (kTokens + s + lane_ % 4 * 2) * 4;
    const float2 early = ReadShared<float2>(weights), late = ReadShared<float2>(weights + 32);
#pragma unroll
    for (unsigned i = 0; i < 4; ++i) SplitWeighted(x[i], i < 2 ? early : late, high[i], low[i]);
  }

  /// Calls with every value of S and where it lies in the state; null: outside.
  template <typename Use>
  __device__ __forceinline__ void Each(const Use& use) {
    const Mamba2Operands& args = block_.args();
    float* const from = block_.state().s;
#pragma unroll
    for (unsigned j = 0; j < 2 * kSteps; ++j) {
#pragma unroll
      for (unsigned i = 0; i < 4; ++i) {
        const unsigned n = j * 8 + lane_ % 4 * 2 + i % 2, p = first_ + lane_ / 4 + i / 2 * 8;
        const bool is_inside = n < args.states && p < block_.channels().columns;
        use(s_[j][i], is_inside ? from + static_cast<size_t>(n) * args.width + p : nullptr);
      }
    }
  }
  /// S before `chunk`, for the other warps.
  __device__ __forceinline__ void Show(unsigned chunk) {
#pragma unroll
    for (unsigned step = 0; step < kSteps; ++step) {
      const float(&left)[4] = s_[2 * step], (&right)[4] = s_[2 * step + 1];
      const uint32_t four[4] = {PackBF16(left[0], left[1]), PackBF16(left[2], left[3]),
                                PackBF16(right[0], right[1]), PackBF16(right[2], right[3])};
      block_.States(chunk).WriteFirst(four, first_, step * 16);
    }
  }

  const ChunkBlock& block_;
  const unsigned first_, lane_;
  bool is_changed_ = false;
  float s_[2 * kSteps][4];  // of eight states each
};

/// A warp that computes y of sixteen channels, one of four that multiply together. kHalves: as
/// above.
template <unsigned kHalves>
class OutputWarp {
 public:
  __device__ __forceinline__ OutputWarp(const ChunkBlock& block, unsigned tile, unsigned turn)
      : block_(block),
        out_(block.Out(turn * kTiles + tile)),
        first_(tile * 16),
        lane_(threadIdx.x % kWarp) {
    const float* d = block.args().d;
    for (unsigned i = 0; i < 2; ++i) {
      const unsigned p = first_ + lane_ / 4 + i * 8;
      const bool is_there = d != nullptr && p < block.channels().columns;
      d_[i] = is_there ? d[block.channels().first + p] : 0.0f;
    }
  }

  __device__ __forceinline__ void Chunk(unsigned chunk) const {
    block_.WaitForRows(chunk);
    float sums[kTokens / 8][4];
    FromState(chunk, sums);
    uint32_t x[kTokens / 16][4];
    bool is_finite = true;
#pragma unroll
    for (unsigned k = 0; k < kTokens / 16; ++k) {
      block_.X(chunk).ReadFirstTransposed(x[k], k * 16, first_);
      is_finite = is_finite && IsFinite(x[k]);
    }
    if (!__all_sync(0xffffffff, is_finite)) {
      AddTokens(chunk, x, sums);
#pragma unroll
      for (unsigned i = 0; i < kTokens / 4; ++i) x[i / 4][i % 4] = 0;  // adds nothing
    }
    FenceSums();
#pragma unroll
    for (unsigned k = 0; k < kTokens / 16; ++k)
      MultiplyByRows(sums, x[k], OperandAt(block_.Weights(chunk).at) + k * kSixteenInputs, true);
    CommitProducts();
    WaitForProducts<0>();
#pragma unroll
    for (unsigned k = 0; k < kTokens / 16; ++k) Write(chunk, k * 16, sums[2 * k], sums[2 * k + 1]);
  }

 private:
  __device__ __forceinline__ void FromState(unsigned chunk, float (&sums)[kTokens / 8][4]) const {
    uint32_t state[kHalves * 4][4];
#pragma unroll
    for (unsigned step = 0; step < kHalves * 4; ++step)
      block_.States(chunk).ReadFirst(state[step], first_, step * 16);
    FenceSums();
#pragma unroll
    for (unsigned step = 0; step < kHalves * 4; ++step) {
      MultiplyByRows(sums, state[step],
                     OperandAt(block_.C(chunk, step / 4).at) + step % 4 * kSixteenInputs, step > 0);
    }
    CommitProducts();
    const Shared scales = block_.Scales(chunk) + lane_ % 4 * 8;
    WaitForProducts<0>();
#pragma unroll
    for (unsigned j = 0; j < kTokens / 8; ++j) {
      const float2 scale = ReadShared<float2>(scales + j * 32);
      sums[j][0] = __fmul_rn(sums[j][0], scale.x), sums[j][1] = __fmul_rn(sums[j][1], scale.y);
      sums[j][2] = __fmul_rn(sums[j][2], scale.x), sums[j][3] = __fmul_rn(sums[j][3], scale.y);
    }
  }

  static __device__ __forceinline__ bool IsFinite(const uint32_t (&x)[4]) {
    __nv_bfloat162 nothing = __floats2bfloat162_rn(0.0f, 0.0f);  // what is not finite makes it NaN
    const __nv_bfloat162 zero = nothing;
#pragma unroll
    for (unsigned i = 0; i < 4; ++i)
      nothing = __hfma2(reinterpret_cast<const __nv_bfloat162&>(x[i]), zero, nothing);
    return (reinterpret_cast<const uint32_t&>(nothing) & 0x7fff7fff) == 0;
  }

  /// Adds the weighted x of a warp that has one which is not finite: tokens before it must not see
  /// it, though their weights for it are zero.
  __device__ __forceinline__ void AddTokens(unsigned chunk, const uint32_t (&x)[kTokens / 16][4],
                                            float (&sums)[kTokens / 8][4]) const {
#pragma unroll
    for (unsigned s = 0; s < kTokens; s += 16) {
      uint32_t weights[4];
      block_.Weights(chunk).ReadSeconds(weights, s, s);
      AddDiagonal(sums[s / 8], sums[s / 8 + 1], x[s / 16], weights);
#pragma unroll
      for (unsigned t = s + 16; t < kTokens; t += 16) {
        block_.Weights(chunk).ReadSeconds(weights, t, s);
        WarpMultiply(sums[t / 8], x[s / 16], weights[0], weights[1]);
        WarpMultiply(sums[t / 8 + 1], x[s / 16], weights[2], weights[3]);
      }
    }
  }

  /// Sixteen tokens by themselves, each with x up to it.
  __device__ __forceinline__ void AddDiagonal(float (&early)[4], float (&late)[4],
                                              const uint32_t (&x)[4],
                                              const uint32_t (&weights)[4]) const {
    const unsigned own = lane_ % 4 * 2;
    float both[2][4] = {{early[0], early[1], early[2], early[3]},
                        {late[0], late[1], late[2], late[3]}};
#pragma unroll 1
    for (unsigned t = 0; t < 16; ++t) {
      uint32_t seen[4];
#pragma unroll
      for (unsigned i = 0; i < 4; ++i) {
        const unsigned s = own + i / 2 * 8;
        seen[i] = x[i] & (s <= t ? 0xffffu : 0u) | x[i] & (s + 1 <= t ? 0xffff0000u : 0u);
      }
#pragma unroll
      for (unsigned half = 0; half < 2; ++half) {
        float(&sums)[4] = half == 0 ? early : late;
        float sum[4] = {both[half][0], both[half][1], both[half][2], both[half][3]};
        WarpMultiply(sum, seen, weights[2 * half], weights[2 * half + 1]);
#pragma unroll
        for (unsigned i = 0; i < 4; ++i)
          if (half * 8 + own + i % 2 == t) sums[i] = sum[i];
      }
    }
  }

  /// y of sixteen tokens from t on, by way of shared memory, where lanes change from tokens of a
  /// channel to channels of a token.
  __device__ __forceinline__ void Write(unsigned chunk, unsigned t, const float (&early)[4],
                                        const float (&late)[4]) const {
    const Mamba2Operands& args = block_.args();
    float2 y[4];
    uint32_t x[4];
    block_.X(chunk).ReadFirstTransposed(x, t, first_);
#pragma unroll
    for (unsigned i = 0; i < 4; ++i) {
      const float(&sums)[4] = i < 2 ? early : late;
      y[i] = {sums[i % 2 * 2], sums[i % 2 * 2 + 1]};
      if (args.d != nullptr) y[i] = Skip(y[i], {d_[i % 2], d_[i % 2]}, x[i]);
    }
    if (args.z != nullptr) {
      uint32_t z[4];
      block_.Z(chunk).ReadFirstTransposed(z, t, first_);
#pragma unroll
      for (unsigned i = 0; i < 4; ++i) y[i] = Gate(y[i], z[i]);
    }
    const uint32_t four[4] = {PackBF16(y[0].x, y[0].y), PackBF16(y[1].x, y[1].y),
                              PackBF16(y[2].x, y[2].y), PackBF16(y[3].x, y[3].y)};
    const unsigned piece = lane_ / 8 % 2, row_of_lane = lane_ % 8 + lane_ / 16 * 8;
    __syncwarp();  // all have read what was there
    WriteTransposed(four, out_ + PieceAt(row_of_lane, piece));
    __syncwarp();
    const unsigned token = t + lane_ / 2, half = lane_ % 2;
    const uint4 eight = ReadShared<uint4>(out_ + PieceAt(lane_ / 2, half));
    const ChunkTokens tokens = block_.TokensOf(chunk);
    if (token < tokens.held || token >= tokens.end) return;
    if (first_ + half * 8 >= block_.channels().columns) return;
    uint16_t* const row = args.y + (tokens.first_row + token) * args.y_stride;
    *reinterpret_cast<uint4*>(row + block_.channels().first + first_ + half * 8) = eight;
  }

  /// Where eight channels of a token lie: four tokens on, the two halves change places, so that
  /// those of eight tokens are in different banks.
  static __device__ __forceinline__ unsigned PieceAt(unsigned token, unsigned half) {
    return token * 32 + (half ^ (token / 4 % 2)) * 16;
  }

  const ChunkBlock& block_;
  const Shared out_;
  const unsigned first_, lane_;
  float d_[2];
};

/// The warps that prepare chunks.
template <unsigned kHalves>
class HelperThread {
 public:
  __device__ __forceinline__ HelperThread(const ChunkBlock& block, const RowBoxes& boxes,
                                          unsigned thread)
      : bring_(block, boxes, thread), weights_(block, thread) {}

  __device__ __forceinline__ void Begin() {
    bring_.Begin();
    weights_.Begin();
  }
  __device__ __forceinline__ void Chunk(unsigned chunk) {
    bring_.Chunk(chunk);
    weights_.Chunk(chunk);
    bring_.FinishChunk();
  }
  __device__ __forceinline__ void Finish() {}

 private:
  BringThread<kHalves> bring_;
  WeightThread weights_;
};

/// Interval i is that in which S takes chunk i; y of that chunk may take the next one as well, and
/// there is one interval more than chunks.
template <typename Part>
__device__ __forceinline__ void Run(const ChunkBlock& block, Part part) {
  MeetAfter(0);
  part.Begin();
  MeetAfter(1);
  for (unsigned chunk = 0; chunk < block.chunks(); ++chunk) {
    part.Chunk(chunk);
    MeetAfter(chunk);
  }
  MeetAfter(block.chunks());
  part.Finish();
}

/// Every other chunk, from `chunk` on.
template <unsigned kHalves>
__device__ __forceinline__ void Run(const ChunkBlock& block, const OutputWarp<kHalves>& warp,
                                    unsigned chunk) {
  MeetAfter(0);
  MeetAfter(1);
  if (chunk == 1) MeetAfter(0);
  for (; chunk < block.chunks(); chunk += 2) {
    PassAfter(chunk);
    warp.Chunk(chunk);
    MeetAfter(chunk + 1);
  }
  if (chunk == block.chunks()) MeetAfter(chunk);
}

template <unsigned kHalves>
__global__ void __launch_bounds__(kThreads, 1)
    Mamba2RowsKernel(const __grid_constant__ Mamba2Operands args,
                     const __grid_constant__ RowBoxes boxes) {
  extern __shared__ float4 shared_memory[];
  __shared__ unsigned flag;
  if (args.sequences[blockIdx.y].row_count == 0) return;
  const ChunkBlock block(args, AlignedShared(shared_memory));
  if (threadIdx.x < ChunkMemory::kStages) block.RowsBarrier(threadIdx.x).Init(kPart);
  FenceBarriers();
  __syncthreads();
  const unsigned part = threadIdx.x / kPart, in_part = threadIdx.x % kPart, tile = in_part / kWarp;
  if (part == 0) {
    TakeRegisters<192>();
    Run(block, StateWarp<kHalves>(block, tile));
  } else if (part == 1) {
    TakeRegisters<112>();
    Run(block, OutputWarp<kHalves>(block, tile, 0), 0);
  } else if (part == 2) {
    TakeRegisters<112>();
    Run(block, OutputWarp<kHalves>(block, tile, 1), 1);
  } else {
    TakeRegisters<96>();
    Run(block, HelperThread<kHalves>(block, boxes, in_part));
  }
  block.Hold(flag);
}

template <unsigned kHalves>
void Launch(const Mamba2Operands& operands, const Mamba2ChunkScanArgs& args) {
  constexpr auto kKernel = Mamba2RowsKernel<kHalves>;
  constexpr size_t kBytes = ChunkMemory::kBytes + kSharedAlignment;
  AllowSharedMemory<kKernel>(kBytes, "mamba-2 chunk scan");
  const dim3 grid(GridX(size_t{operands.heads} * operands.tiles), GridY(args.sequence_count));
  const auto boxes_of = [&](const ConstBF16Rows& rows, size_t columns) {
    return BoxesOf(TensorInput{rows.data, args.rows, columns, rows.stride}, kTokens);
  };
  const size_t channels = args.shape.heads * args.shape.width,
               states = args.shape.groups * args.shape.states;
  const RowBoxes boxes{boxes_of(args.x, channels),
                       boxes_of(args.z.data != nullptr ? args.z : args.x, channels),
                       boxes_of(args.b, states), boxes_of(args.c, states)};
  kKernel<<<grid, kThreads, kBytes, args.stream>>>(operands, boxes);
  CheckCuda(cudaGetLastError(), "mamba-2 chunk scan");
}

}  // namespace

void LaunchMamba2ChunkRows(const Mamba2Operands& operands, const Mamba2ChunkScanArgs& args) {
  if (operands.states <= 64) return Launch<1>(operands, args);
  Launch<2>(operands, args);
}

}  // namespace statelib::kernels::cuda
