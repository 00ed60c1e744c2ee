// SPDX-License-Identifier: Apache-2.0
// Mamba-2's scan over many rows, chunk after chunk. A block takes 64 channels of a head through all
// chunks of a sequence. Four of its warps keep S of 16 channels each in registers, as sums of the
// tensor core, and advance it; four compute y of the same channels from S of the chunk before,
// which comes to them as bf16 in shared memory. Both work on transposed products, channels by
// tokens or states, so that x is a first operand for either. Four more bring rows by asynchronous
// copies, two chunks ahead, and make the weights M of the next chunk. All meet once a chunk.
//
// Traffic: x and z read and y written once; B, C and their products once a head, from the second
// cache; the state once a call.
#include "kernels/cuda/device.h"
#include "kernels/cuda/mamba2_chunk_helper.cuh"

namespace statelib::kernels::cuda {

namespace {

/// A warp that keeps S of sixteen channels. kSteps: of sixteen states.
template <unsigned kSteps>
class StateWarp {
 public:
  __device__ __forceinline__ StateWarp(const ChunkBlock& block, unsigned tile)
      : block_(block), first_(tile * 16), lane_(threadIdx.x % kWarp) {
    Each([&](float& s, const float* at) { s = at != nullptr ? *at : 0.0f; });
    Show(0);
  }
  __device__ __forceinline__ void Begin() {}

  __device__ __forceinline__ void Chunk(unsigned chunk) {
    if (block_.TokensOf(chunk).end < kTokens) return;
    float added[2 * kSteps][4] = {};
    const Shared weights = block_.Scales(chunk) + kTokens * 4 + lane_ % 4 * 8;
#pragma unroll
    for (unsigned s = 0; s < kTokens; s += 16) {
      uint32_t x[4], high[4], low[4];
      block_.X(chunk).ReadFirstTransposed(x, s, first_);
      const float2 early = ReadShared<float2>(weights + s * 4),
                   late = ReadShared<float2>(weights + (s + 8) * 4);
#pragma unroll
      for (unsigned i = 0; i < 4; ++i) SplitWeighted(x[i], i < 2 ? early : late, high[i], low[i]);
      // Pairs of steps, so that sums do not wait for each other.
      constexpr unsigned kPair = kSteps > 1 ? 2 : 1;
#pragma unroll
      for (unsigned step = 0; step < kSteps; step += kPair) {
        uint32_t b[kPair][4];
#pragma unroll
        for (unsigned i = 0; i < kPair; ++i)
          block_.B(chunk).ReadSecondsTransposed(b[i], s, (step + i) * 16);
#pragma unroll
        for (unsigned part = 0; part < 2; ++part) {
#pragma unroll
          for (unsigned i = 0; i < kPair; ++i) {
            float(&near)[4] = added[2 * (step + i)], (&far)[4] = added[2 * (step + i) + 1];
            WarpMultiply(near, part == 0 ? high : low, b[i][0], b[i][1]);
            WarpMultiply(far, part == 0 ? high : low, b[i][2], b[i][3]);
          }
        }
      }
    }
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

/// A warp that computes y of sixteen channels: of the first and the last sixteen tokens of a chunk,
/// or of those between them, which takes as long. kSteps: as above.
template <unsigned kSteps, bool kOuter>
class OutputWarp {
 public:
  __device__ __forceinline__ OutputWarp(const ChunkBlock& block, unsigned tile)
      : block_(block),
        out_(block.Out(tile + (kOuter ? 0 : kTiles))),
        first_(tile * 16),
        lane_(threadIdx.x % kWarp) {
    const float* d = block.args().d;
    for (unsigned i = 0; i < 2; ++i) {
      const unsigned p = first_ + lane_ / 4 + i * 8;
      const bool is_there = d != nullptr && p < block.channels().columns;
      d_[i] = is_there ? d[block.channels().first + p] : 0.0f;
    }
  }

  __device__ __forceinline__ void Begin() {}
  __device__ __forceinline__ void Chunk(unsigned chunk) {
    float sums[2][2][4] = {};  // sixteens of tokens, eights of those
    FromState(chunk, sums);
#pragma unroll
    for (unsigned i = 0; i < 2; ++i) {
      uint32_t x[4], weights[4];
#pragma unroll
      for (unsigned s = 0; s <= TokenOf(i); s += 16) {
        block_.X(chunk).ReadFirstTransposed(x, s, first_);
        block_.Weights(chunk).ReadSeconds(weights, TokenOf(i), s);
        if (s == TokenOf(i)) {
          AddDiagonal(sums[i][0], sums[i][1], x, weights);
        } else {
          WarpMultiply(sums[i][0], x, weights[0], weights[1]);
          WarpMultiply(sums[i][1], x, weights[2], weights[3]);
        }
      }
      Write(chunk, i, sums[i][0], sums[i][1], x);
    }
  }
  __device__ __forceinline__ void Finish() {}

 private:
  static __device__ constexpr unsigned TokenOf(unsigned i) { return kOuter ? i * 48 : 16 + i * 16; }

  __device__ __forceinline__ void FromState(unsigned chunk, float (&sums)[2][2][4]) const {
    uint32_t state[2][4], c[2][2][4];  // those of a step are read while the step before is used
    const auto read = [&](unsigned step) {
      block_.States(chunk).ReadFirst(state[step % 2], first_, step * 16);
      for (unsigned i = 0; i < 2; ++i)
        block_.C(chunk).ReadSeconds(c[step % 2][i], TokenOf(i), step * 16);
    };
    read(0);
#pragma unroll
    for (unsigned step = 0; step < kSteps; ++step) {
      if (step + 1 < kSteps) read(step + 1);
#pragma unroll
      for (unsigned i = 0; i < 2; ++i) {
        WarpMultiply(sums[i][0], state[step % 2], c[step % 2][i][0], c[step % 2][i][1]);
        WarpMultiply(sums[i][1], state[step % 2], c[step % 2][i][2], c[step % 2][i][3]);
      }
    }
    const Shared scales = block_.Scales(chunk) + lane_ % 4 * 8;
#pragma unroll
    for (unsigned i = 0; i < 4; ++i) {
      float(&eight)[4] = sums[i / 2][i % 2];
      const float2 scale = ReadShared<float2>(scales + TokenOf(i / 2) * 4 + i % 2 * 32);
      eight[0] = __fmul_rn(eight[0], scale.x), eight[1] = __fmul_rn(eight[1], scale.y);
      eight[2] = __fmul_rn(eight[2], scale.x), eight[3] = __fmul_rn(eight[3], scale.y);
    }
  }

  /// Sixteen tokens by themselves. Where an x is not finite the tokens before it must not see it,
  /// though their weights for it are zero.
  __device__ __forceinline__ void AddDiagonal(float (&early)[4], float (&late)[4],
                                              const uint32_t (&x)[4],
                                              const uint32_t (&weights)[4]) const {
    __nv_bfloat162 nothing = __floats2bfloat162_rn(0.0f, 0.0f);  // what is not finite makes it NaN
    const __nv_bfloat162 zero = nothing;
#pragma unroll
    for (unsigned i = 0; i < 4; ++i)
      nothing = __hfma2(reinterpret_cast<const __nv_bfloat162&>(x[i]), zero, nothing);
    const uint32_t bits = reinterpret_cast<const uint32_t&>(nothing) & 0x7fff7fff;
    if (__all_sync(0xffffffff, bits == 0)) {
      WarpMultiply(early, x, weights[0], weights[1]);
      WarpMultiply(late, x, weights[2], weights[3]);
      return;
    }
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

  /// y of sixteen tokens, by way of shared memory, where lanes change from tokens of a
  /// channel to channels of a token.
  __device__ __forceinline__ void Write(unsigned chunk, unsigned sixteen, const float (&early)[4],
                                        const float (&late)[4], const uint32_t (&x)[4]) const {
    const Mamba2Operands& args = block_.args();
    const unsigned t = TokenOf(sixteen);
    float2 y[4];
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
    const Shared out = out_ + sixteen * ChunkMemory::kOutBytes;
    asm volatile("stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(
                     out + Half(lane_ % 8 + lane_ / 16 * 8, lane_ / 8 % 2)),
                 "r"(PackBF16(y[0].x, y[0].y)), "r"(PackBF16(y[1].x, y[1].y)),
                 "r"(PackBF16(y[2].x, y[2].y)), "r"(PackBF16(y[3].x, y[3].y))
                 : "memory");
    __syncwarp();
    const unsigned token = t + lane_ / 2, half = lane_ % 2;
    const uint4 eight = ReadShared<uint4>(out + Half(lane_ / 2, half));
    const ChunkTokens tokens = block_.TokensOf(chunk);
    if (token < tokens.held || token >= tokens.end) return;
    if (first_ + half * 8 >= block_.channels().columns) return;
    uint16_t* const row = args.y + (tokens.first_row + token) * args.y_stride;
    *reinterpret_cast<uint4*>(row + block_.channels().first + first_ + half * 8) = eight;
  }
  /// Eight channels of a token.
  static __device__ __forceinline__ unsigned Half(unsigned token, unsigned half) {
    return token * 32 + (half ^ (token >> 2 & 1)) * 16;
  }

  const ChunkBlock& block_;
  const Shared out_;
  const unsigned first_, lane_;
  float d_[2];
};

template <typename Part>
__device__ __forceinline__ void Run(const ChunkBlock& block, Part part) {
  MeetAll();
  part.Begin();
  MeetAll();
  for (unsigned chunk = 0; chunk < block.chunks(); ++chunk) {
    part.Chunk(chunk);
    MeetAll();
  }
  part.Finish();
}

template <unsigned kSteps>
__global__ void __launch_bounds__(kThreads, 1)
    Mamba2RowsKernel(const __grid_constant__ Mamba2Operands args) {
  extern __shared__ float4 shared_memory[];
  __shared__ unsigned flag;
  if (args.sequences[blockIdx.y].row_count == 0) return;
  const ChunkBlock block(args, AlignedShared(shared_memory));
  const unsigned part = threadIdx.x / kPart, in_part = threadIdx.x % kPart, tile = in_part / kWarp;
  if (part == 0) {
    TakeRegisters<208>();
    Run(block, StateWarp<kSteps>(block, tile));
  } else if (part == 1) {
    TakeRegisters<104>();
    Run(block, OutputWarp<kSteps, true>(block, tile));
  } else if (part == 2) {
    TakeRegisters<104>();
    Run(block, OutputWarp<kSteps, false>(block, tile));
  } else {
    TakeRegisters<96>();
    Run(block, HelperThread(block, in_part));
  }
  block.Hold(flag);
}

template <unsigned kSteps>
void Launch(const Mamba2Operands& operands, const Mamba2ChunkScanArgs& args) {
  constexpr auto kKernel = Mamba2RowsKernel<kSteps>;
  constexpr size_t kBytes = ChunkMemory::kBytes + kSharedAlignment;
  AllowSharedMemory<kKernel>(kBytes, "mamba-2 chunk scan");
  const dim3 grid(GridX(size_t{operands.heads} * operands.tiles), GridY(args.sequence_count));
  kKernel<<<grid, kThreads, kBytes, args.stream>>>(operands);
  CheckCuda(cudaGetLastError(), "mamba-2 chunk scan");
}

}  // namespace

void LaunchMamba2ChunkRows(const Mamba2Operands& operands, const Mamba2ChunkScanArgs& args) {
  if (operands.states <= 16) return Launch<1>(operands, args);
  if (operands.states <= 64) return Launch<4>(operands, args);
  Launch<8>(operands, args);
}

}  // namespace statelib::kernels::cuda
