// SPDX-License-Identifier: Apache-2.0
// Mamba-2's scan over a few rows, as decoding has them: S passes by once and is written only where
// a chunk ends, in one token of 64. A block takes 64 channels of a head of one sequence, a warp
// sixteen of them. S goes to registers as the tensor core wants it, a lane's two rows of a first
// operand being neighbouring channels; x and B of the chunk so far come to shared memory. Of the
// second operands only the first column, the token, is not zero.
//
// Traffic: S read, and x, B and the time steps of the chunk so far; B from the second cache but for
// one head.
#include "kernels/cuda/device.h"
#include "kernels/cuda/mamba2_chunk.cuh"

namespace statelib::kernels::cuda {

namespace {

constexpr unsigned kWarp = 32, kWarps = kTileWidth / 16, kThreads = kWarps * kWarp;
constexpr unsigned kSteps = kStatesMax / 16;  // of sixteen states

struct FewRowsMemory {
  alignas(128) uint16_t b[kTokens * kStatesMax];
  alignas(128) uint16_t x[kTokens * kTileWidth];
  alignas(16) uint16_t c[kStatesMax];
  alignas(16) uint16_t weights[kTokens];  // M of the token
  float dt[kTokens], cum[kTokens];        // as they lie in a state
  alignas(16) float state_weights[kTokens];
  unsigned flag;
};

template <typename Element>
__device__ __forceinline__ Shared SharedAt(const Element* of) {
  return static_cast<Shared>(__cvta_generic_to_shared(of));
}

class FewRowsBlock {
 public:
  __device__ __forceinline__ FewRowsBlock(const Mamba2Operands& args, FewRowsMemory& memory)
      : args_(args),
        memory_(memory),
        sequence_(args.sequences[blockIdx.y]),
        channels_(args, blockIdx.x),
        state_(args, sequence_.state, channels_),
        steps_(args, channels_.head),
        b_{SharedAt(memory.b)},
        x_{SharedAt(memory.x)},
        warp_(threadIdx.x / kWarp),
        g_(threadIdx.x % kWarp / 4),
        q_(threadIdx.x % 4),
        p_(warp_ * 16 + g_ * 2),
        begin_(sequence_.position % kTokens) {}

  __device__ __forceinline__ void Run() {
    EachOfState([](float2& s, const float* at) {
      s = at != nullptr ? *reinterpret_cast<const float2*>(at) : float2{0.0f, 0.0f};
    });
    BringHeld();
    bool is_changed = false;
    unsigned token = begin_;
    for (unsigned i = 0; i < sequence_.row_count; ++i) {
      const size_t row = size_t{sequence_.first_row} + i;
      BringToken(row, token);
      uint32_t c[kSteps][2];
      ReadToken(c);
      MakeWeights(token, c);
      __syncthreads();
      Output(row, token, c);
      if (++token == kTokens) {
        Advance();
        is_changed = true;
        token = 0;
      }
      __syncthreads();
    }
    if (is_changed) {
      EachOfState([](float2 s, float* at) {
        if (at != nullptr) *reinterpret_cast<float2*>(at) = s;
      });
    }
    Hold(is_changed, token);
  }

 private:
  /// Calls with every pair of neighbouring channels of S that this lane holds and where it lies;
  /// null: outside. s_[step][i]: state step * 16 + q * 2 and the next one, then those 8 behind.
  template <typename Use>
  __device__ __forceinline__ void EachOfState(const Use& use) {
#pragma unroll
    for (unsigned step = 0; step < kSteps; ++step) {
#pragma unroll
      for (unsigned i = 0; i < 4; ++i) {
        const unsigned n = step * 16 + q_ * 2 + i % 2 + i / 2 * 8;
        const bool is_inside = n < args_.states && p_ < channels_.columns;
        use(s_[step][i],
            is_inside ? state_.s + static_cast<size_t>(n) * args_.width + p_ : nullptr);
      }
    }
  }

  /// The chunk so far; tokens after it are zero.
  __device__ __forceinline__ void BringHeld() {
    ChunkTokens tokens(sequence_, 0);
    tokens.end = begin_;
    BringTile<kThreads>(b_, tokens, {args_.b, 0, state_.b, args_.states, args_.states},
                        threadIdx.x);
    BringTile<kThreads>(x_, tokens, {args_.x, 0, state_.x, args_.width, channels_.columns},
                        threadIdx.x);
    CommitCopies();
    static_assert(kThreads == 2 * kTokens);
    (threadIdx.x < kTokens ? memory_.dt : memory_.cum)[threadIdx.x % kTokens] =
        state_.steps[threadIdx.x];
    FinishCopies<0>();
    __syncthreads();
  }

  /// A row's B, C, x and time step.
  __device__ __forceinline__ void BringToken(size_t row, unsigned token) {
    const size_t state = static_cast<size_t>(channels_.group) * args_.states;
    const unsigned piece = threadIdx.x % 16;
    const uint4 zero{0, 0, 0, 0};
    if (threadIdx.x < 16) {
      const auto* from = reinterpret_cast<const uint4*>(args_.b + row * args_.b_stride + state);
      WriteShared(b_.Piece(token, piece), piece * 8 < args_.states ? from[piece] : zero);
    } else if (threadIdx.x < 32) {
      const auto* from = reinterpret_cast<const uint4*>(args_.c + row * args_.c_stride + state);
      WriteShared(SharedAt(memory_.c) + piece * 16, piece * 8 < args_.states ? from[piece] : zero);
    } else if (threadIdx.x < 40) {
      const auto* from =
          reinterpret_cast<const uint4*>(args_.x + row * args_.x_stride + channels_.first);
      WriteShared(x_.Piece(token, piece), piece * 8 < channels_.columns ? from[piece] : zero);
    } else if (threadIdx.x == 2 * kWarp) {
      const float dt = steps_.Dt(args_.dt_raw[row * args_.dt_stride + channels_.head]);
      const float before = token == 0 ? 0.0f : memory_.cum[token - 1];
      memory_.dt[token] = dt;
      memory_.cum[token] = steps_.Add(before, dt);
    }
    __syncthreads();
  }

  /// C as second operands.
  __device__ __forceinline__ void ReadToken(uint32_t (&c)[kSteps][2]) const {
#pragma unroll
    for (unsigned step = 0; step < kSteps; ++step) {
      const Shared at = SharedAt(memory_.c) + (step * 16 + q_ * 2) * 2;
      c[step][0] = g_ == 0 ? ReadShared<uint32_t>(at) : 0;
      c[step][1] = g_ == 0 ? ReadShared<uint32_t>(at + 16) : 0;
    }
  }

  /// M of the token, a warp sixteen s.
  __device__ __forceinline__ void MakeWeights(unsigned token, const uint32_t (&c)[kSteps][2]) {
    const unsigned first = warp_ * 16;
    if (first > token) return;
    float products[4] = {};
#pragma unroll
    for (unsigned step = 0; step < kSteps; ++step) {
      if (step * 16 >= args_.states) break;
      uint32_t b[4];
      b_.ReadFirst(b, first, step * 16);
      WarpMultiply(products, b, c[step][0], c[step][1]);
    }
    if (q_ != 0) return;
#pragma unroll
    for (unsigned half = 0; half < 2; ++half) {
      const unsigned s = first + g_ + half * 8;
      const float weight = s <= token ? TokenWeight(products[half * 2], memory_.cum[token],
                                                    memory_.cum[s], memory_.dt[s])
                                      : 0.0f;
      memory_.weights[s] = ToBF16(weight);
    }
  }

  /// x of sixteen tokens as a first operand whose rows g and g + 8 are this lane's channels.
  __device__ __forceinline__ void ReadX(uint32_t (&x)[4], unsigned s) const {
    const unsigned piece = p_ / 8, in_piece = p_ % 8 * 2;
#pragma unroll
    for (unsigned late = 0; late < 2; ++late) {
      const unsigned first = s + late * 8 + q_ * 2;
      const uint32_t left = ReadShared<uint32_t>(x_.Piece(first, piece) + in_piece),
                     right = ReadShared<uint32_t>(x_.Piece(first + 1, piece) + in_piece);
      x[late * 2] = __byte_perm(left, right, 0x5410);
      x[late * 2 + 1] = __byte_perm(left, right, 0x7632);
    }
  }

  __device__ __forceinline__ void Output(size_t row, unsigned token,
                                         const uint32_t (&c)[kSteps][2]) const {
    const size_t channel = channels_.first + p_;
    const bool writes = q_ == 0 && p_ < channels_.columns;
    uint32_t z = 0;
    if (writes && args_.z != nullptr)
      z = *reinterpret_cast<const uint32_t*>(args_.z + row * args_.z_stride + channel);
    float sums[4] = {};
#pragma unroll
    for (unsigned step = 0; step < kSteps; ++step) {
      if (step * 16 >= args_.states) break;
      const float2(&s)[4] = s_[step];
      const uint32_t state[4] = {PackBF16(s[0].x, s[1].x), PackBF16(s[0].y, s[1].y),
                                 PackBF16(s[2].x, s[3].x), PackBF16(s[2].y, s[3].y)};
      WarpMultiply(sums, state, c[step][0], c[step][1]);
    }
    const float scale = Ex2(memory_.cum[token]);
#pragma unroll
    for (float& sum : sums) sum = __fmul_rn(sum, scale);
    for (unsigned s = 0; s <= token; s += 16) {
      uint32_t x[4];
      ReadX(x, s);
      const Shared at = SharedAt(memory_.weights) + (s + q_ * 2) * 2;
      const uint32_t early = g_ == 0 ? ReadShared<uint32_t>(at) : 0,
                     late = g_ == 0 ? ReadShared<uint32_t>(at + 16) : 0;
      WarpMultiply(sums, x, early, late);
    }
    if (!writes) return;
    const uint32_t x = ReadShared<uint32_t>(x_.Piece(token, p_ / 8) + p_ % 8 * 2);
    float2 y{sums[0], sums[2]};
    if (args_.d != nullptr) y = Skip(y, {args_.d[channel], args_.d[channel + 1]}, x);
    if (args_.z != nullptr) y = Gate(y, z);
    *reinterpret_cast<uint32_t*>(args_.y + row * args_.y_stride + channel) = PackBF16(y.x, y.y);
  }

  /// The chunk's tokens go into S.
  __device__ __forceinline__ void Advance() {
    if (threadIdx.x < kTokens) {
      memory_.state_weights[threadIdx.x] =
          StateWeight(memory_.cum[kTokens - 1], memory_.cum[threadIdx.x], memory_.dt[threadIdx.x]);
    }
    __syncthreads();
    uint32_t high[kTokens / 16][4], low[kTokens / 16][4];
#pragma unroll
    for (unsigned k = 0; k < kTokens / 16; ++k) {
      uint32_t x[4];
      ReadX(x, k * 16);
      const Shared weights = SharedAt(memory_.state_weights) + (k * 16 + q_ * 2) * 4;
      const float2 early = ReadShared<float2>(weights), late = ReadShared<float2>(weights + 32);
#pragma unroll
      for (unsigned i = 0; i < 4; ++i)
        SplitWeighted(x[i], i < 2 ? early : late, high[k][i], low[k][i]);
    }
    const float decay = Ex2(memory_.cum[kTokens - 1]);
#pragma unroll
    for (unsigned step = 0; step < kSteps; ++step) {
      if (step * 16 >= args_.states) break;
      float near[4] = {}, far[4] = {};
#pragma unroll
      for (unsigned k = 0; k < kTokens / 16; ++k) {
        uint32_t b[4];
        b_.ReadSecondsTransposed(b, k * 16, step * 16);
        WarpMultiply(near, high[k], b[0], b[1]);
        WarpMultiply(far, high[k], b[2], b[3]);
        WarpMultiply(near, low[k], b[0], b[1]);
        WarpMultiply(far, low[k], b[2], b[3]);
      }
#pragma unroll
      for (unsigned i = 0; i < 4; ++i) {
        const float(&added)[4] = i < 2 ? near : far;
        s_[step][i].x = __fmaf_rn(decay, s_[step][i].x, added[i % 2]);
        s_[step][i].y = __fmaf_rn(decay, s_[step][i].y, added[i % 2 + 2]);
      }
    }
    __syncthreads();
    for (unsigned i = threadIdx.x; i < kTokens * kTileWidth / 8; i += kThreads)
      WriteShared(x_.at + i * 16, uint4{0, 0, 0, 0});
  }

  /// What the state holds of the chunk now, of which there are `end` tokens.
  __device__ __forceinline__ void Hold(bool is_new, unsigned end) {
    const unsigned begin = is_new ? 0 : begin_, last = is_new ? kTokens : end;
    HoldTile(x_, begin, last, end, state_.x, args_.width, channels_.columns);
    const unsigned t = threadIdx.x % kTokens;
    if (t >= begin && t < last) {
      const float* from = threadIdx.x < kTokens ? memory_.dt : memory_.cum;
      state_.steps[threadIdx.x] = t < end ? from[t] : 0.0f;
    }
    // Where the chunk is the same, no block reads what is written here.
    const bool is_mine = is_new ? IsLastOfGroup(args_, channels_.group, memory_.flag)
                                : channels_.head % args_.heads_of_group == 0 && channels_.tile == 0;
    if (is_mine) HoldTile(b_, begin, last, end, state_.b, args_.states, args_.states);
  }

  const Mamba2Operands& args_;
  FewRowsMemory& memory_;
  const ChunkedSequence sequence_;
  const BlockChannels channels_;
  const BlockState state_;
  const HeadSteps steps_;
  const SharedTile<kStatesMax> b_;
  const SharedTile<kTileWidth> x_;
  const unsigned warp_, g_, q_, p_;  // p_: the first of a lane's two channels
  const unsigned begin_;
  float2 s_[kSteps][4];
};

__global__ void __launch_bounds__(kThreads, 4)
    Mamba2FewRowsKernel(const __grid_constant__ Mamba2Operands args) {
  __shared__ FewRowsMemory memory;
  if (args.sequences[blockIdx.y].row_count == 0) return;
  FewRowsBlock(args, memory).Run();
}

}  // namespace

void LaunchMamba2ChunkFewRows(const Mamba2Operands& operands, const Mamba2ChunkScanArgs& args) {
  const dim3 grid(GridX(size_t{operands.heads} * operands.tiles), GridY(args.sequence_count));
  Mamba2FewRowsKernel<<<grid, kThreads, 0, args.stream>>>(operands);
  CheckCuda(cudaGetLastError(), "mamba-2 chunk scan of few rows");
}

}  // namespace statelib::kernels::cuda
