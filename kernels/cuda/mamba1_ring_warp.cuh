// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_MAMBA1_RING_WARP_CUH_
#define STATELIB_KERNELS_CUDA_MAMBA1_RING_WARP_CUH_

#include "kernels/cuda/mamba1_ring.cuh"

/// What a warp does in the kernel of mamba1_scan_rows.cu.
namespace statelib::kernels::cuda {

/// One warp of a ring on its way through its tiles.
template <typename R, bool kSoftplusToo>
class RingWarp {
 public:
  static constexpr unsigned kTokens = R::kTokens, kItems = R::kItems;

  __device__ __forceinline__ RingWarp(const Mamba1Operands& args, const RoundBoxes& boxes,
                                      std::byte* memory, unsigned groups, unsigned group,
                                      unsigned place)
      : args_(args),
        boxes_(boxes),
        sequence_(args.sequences[blockIdx.y]),
        memory_(memory),
        groups_(groups),
        group_(group),
        place_(place),
        lane_(Once(threadIdx.x % kWarp)) {
    // Neighbours read the same words of shared memory: bits of the channel and the quarter of the
    // 16 states take turns.
    const unsigned channel = (lane_ & 1) | (lane_ >> 1 & 6);
    quarter_ = (lane_ >> 1 & 1) | lane_ >> 4 << 1;
    channel_ = (blockIdx.x * R::kGroups + group) * kGroupChannels + channel;
    item_ =
        Once((place * kTokens + quarter_) * R::kRowBytes + (group * kGroupChannels + channel) * 2);
    const unsigned steps = R::kSteps + (group * R::kWarps + place) * R::kStepBytes;
    step_ = Once(steps + channel * 16);
    put_step_ = Once(steps + (quarter_ / 2 * kGroupChannels + channel) * 16 + quarter_ % 2 * 8);
    const unsigned blocks = R::kSixteen ? 1 : args.state_blocks;
    state_ = Once(R::kStates + group * blocks * R::kStateBytes + lane_ * kLaneBytes);
    barriers_ = static_cast<Shared>(__cvta_generic_to_shared(memory)) + R::Barriers(blocks);
    out_ = args.y + (size_t{sequence_.first_row} + place * kTokens + quarter_) * args.y_stride +
           channel_;
    zero_ = Once(args.channels & 7);
    d_ = args.d[channel_];
    bias_ = kSoftplusToo ? args.dt_bias[channel_] : 0.0f;
    if (R::kSixteen) ReadA(0);
  }

  __device__ __forceinline__ void Run() {
    if (group_ == 0) {
      for (unsigned round = 0; round < R::kAhead; ++round) Bring(round);
      for (unsigned round = 0; round < R::kWidenedAhead; ++round) Widen(round);
    }
    // Groups take turns with what is done for all of them.
    const unsigned last_group = groups_ - 1;
    unsigned turn = 0;
    for (unsigned round = 0, token = place_ * kTokens; token < sequence_.row_count;
         ++round, token += R::kRoundTokens) {
      Tile(round, token);
      if (turn == group_) Bring(round + R::kAhead);
      turn = turn == last_group ? 0 : turn + 1;
      if (turn == group_) Widen(round + R::kWidenedAhead);
    }
  }

 private:
  static constexpr unsigned kLowLane = 2, kHighLane = 16;  // lanes of quarters that differ in a bit

  __device__ __forceinline__ Barrier At(unsigned index) const {
    return {barriers_ + index * Barrier::kBytes};
  }
  __device__ __forceinline__ Barrier Full(unsigned slot) const { return At(slot); }
  __device__ __forceinline__ Barrier Free(unsigned slot) const { return At(R::kRounds + slot); }
  __device__ __forceinline__ Barrier Widened(unsigned slot) const {
    return At(2 * R::kRounds + slot * R::kWarps + place_);
  }
  __device__ __forceinline__ Barrier Turn(unsigned block, unsigned place) const {
    return At((2 + R::kWarps) * R::kRounds +
              (R::kSixteen ? group_ : group_ * args_.state_blocks + block) * R::kWarps + place);
  }

  /// Asks for a round of the whole block, each of the first warps of a ring for a part of it.
  __device__ __forceinline__ void Bring(unsigned round) const {
    const unsigned first = round * R::kRoundTokens, slot = round % R::kRounds;
    if (place_ >= R::kCopyingWarps || first >= sequence_.row_count) return;
    if (round >= R::kRounds) Free(slot).Wait((round / R::kRounds - 1) % 2);
    if (IsElected()) {
      const Barrier full = Full(slot);
      const Shared to =
          static_cast<Shared>(__cvta_generic_to_shared(memory_)) + slot * R::kRoundBytes;
      const unsigned channel = blockIdx.x * R::kGroups * kGroupChannels;
      const unsigned row = sequence_.first_row + first;
      if (place_ < 2) {
        full.ArriveExpecting(R::kZ);
        CopyBox(to + place_ * R::kZ, place_ == 0 ? boxes_.x : boxes_.z, channel, row, full);
      } else if (place_ == 2) {
        full.ArriveExpecting(2 * R::kZ);
        CopyBox(to + R::kDt, boxes_.dt, channel, row, full);
      } else {
        full.ArriveExpecting(R::kRoundBytes - R::kRawStates);
        CopyBox(to + R::kRawStates, boxes_.b, 0, row, full);
        CopyBox(to + R::kRawStates + R::kRoundTokens * R::kRawStateBytes, boxes_.c, 0, row, full);
      }
    }
    __syncwarp();
  }

  /// Widens B and C of this warp's tile of a round for its namesakes in all rings. Rows past the
  /// last are +0.
  __device__ __forceinline__ void Widen(unsigned round) const {
    const unsigned slot = round % R::kRounds;
    if (!R::kSixteen || round * R::kRoundTokens + place_ * kTokens >= sequence_.row_count) return;
    Full(slot).Wait(round / R::kRounds % 2);
    const std::byte* from = memory_ + slot * R::kRoundBytes + R::kRawStates +
                            (place_ * kTokens + lane_ / 4) * R::kRawStateBytes + lane_ % 2 * 16 +
                            lane_ % 4 / 2 * (R::kRoundTokens * R::kRawStateBytes);
    std::byte* to =
        memory_ + R::kWidened + (slot * R::kWarps + place_) * R::kTileBytes + lane_ * 32;
    const unsigned token = round * R::kRoundTokens + place_ * kTokens + lane_ / 4;
#pragma unroll
    for (unsigned i = 0; i < kTokens / 8; ++i) {
      uint4 eight = *reinterpret_cast<const uint4*>(from + i * 8 * R::kRawStateBytes);
      if (token + i * 8 >= sequence_.row_count) eight = {};
      PutWidened(to + i * kWarp * 32, eight);
    }
    __syncwarp();
    if (lane_ == 0) Widened(slot).Arrive();
  }

  /// B and C of 16 of more states, for this warp alone.
  __device__ __forceinline__ const std::byte* OwnStateRows(unsigned token, unsigned block) const {
    const unsigned part = lane_ % 4, state = block * kBlockStates + part % 2 * 8;
    std::byte* const to = memory_ + R::kWidened + (group_ * R::kWarps + place_) * R::kTileBytes;
    __syncwarp();
#pragma unroll
    for (unsigned i = 0; i < kTokens / 8; ++i) {
      const unsigned t = token + i * 8 + lane_ / 4;
      uint4 eight{};
      if (t < sequence_.row_count && state < args_.states) {
        const size_t row = size_t{sequence_.first_row} + t;
        eight = *reinterpret_cast<const uint4*>(
            (part < 2 ? args_.b + row * args_.b_stride : args_.c + row * args_.c_stride) + state);
      }
      PutWidened(to + i * kWarp * 32 + lane_ * 32, eight);
    }
    __syncwarp();
    return to;
  }

  __device__ __forceinline__ bool HasState(unsigned block) const {
    return R::kSixteen || block * kBlockStates + quarter_ * kLaneStates < args_.states;
  }
  __device__ __forceinline__ size_t StateAt(unsigned block, unsigned i) const {
    return static_cast<size_t>(block * kBlockStates + quarter_ * kLaneStates + i) * args_.channels +
           channel_;
  }
  __device__ __forceinline__ void ReadA(unsigned block) {
#pragma unroll
    for (unsigned i = 0; i < kLaneStates; ++i)
      a_[i] = HasState(block) ? ScaledA(__ldg(args_.a + StateAt(block, i))) : 0.0f;
  }

  __device__ __forceinline__ void Tile(unsigned round, unsigned token) {
    const unsigned slot = round % R::kRounds, count = sequence_.row_count - token;
    const std::byte* const raw = memory_ + slot * R::kRoundBytes + item_;
    Full(slot).Wait(round / R::kRounds % 2);
    float y[kItems];
    MakeSteps(raw, memory_ + slot * R::kRoundBytes + R::kDt + 2 * item_, count);
    __syncwarp();
    if (R::kSixteen) {
      Widened(slot).Wait(round / R::kRounds % 2);
      Advance(memory_ + R::kWidened + (slot * R::kWarps + place_) * R::kTileBytes, round, token, 0,
              y);
    } else {
      for (unsigned block = 0; block < args_.state_blocks; ++block) {
        ReadA(block);
        Advance(OwnStateRows(token, block), round, token, block, y);
      }
    }
#pragma unroll
    for (unsigned i = 0; i < kItems; ++i) {
      const std::byte* const at = raw + i * 4 * R::kRowBytes;
      const uint16_t x = *reinterpret_cast<const uint16_t*>(at),
                     z = *reinterpret_cast<const uint16_t*>(at + R::kZ);
      const uint16_t result = Finish(y[i], d_, FromBF16(x), FromBF16(z));
      if (i * 4 + quarter_ < count) out_[i * 4 * args_.y_stride] = result;
    }
    out_ += R::kRoundTokens * args_.y_stride;
    __syncwarp();
    if (lane_ == 0) Free(slot).Arrive();
  }

  /// dt and dt * x of the tile's tokens to shared memory. Past the last token they are +0 and -0:
  /// with B = +0 that leaves every state as it is, to the bit.
  __device__ __forceinline__ void MakeSteps(const std::byte* x_rows, const std::byte* dt_rows,
                                            unsigned count) const {
    float x[kItems], dt[kItems];
#pragma unroll
    for (unsigned i = 0; i < kItems; ++i) {
      x[i] = FromBF16(*reinterpret_cast<const uint16_t*>(x_rows + i * 4 * R::kRowBytes));
      dt[i] = *reinterpret_cast<const float*>(dt_rows + i * 8 * R::kRowBytes);
    }
#pragma unroll
    for (unsigned i = 0; i < kItems; ++i) {
      if (kSoftplusToo) dt[i] = TimeStep(__fadd_rn(dt[i], bias_));
      float2 step = {dt[i], __fmul_rn(dt[i], x[i])};
      if (i * 4 + quarter_ >= count) step = {0.0f, -0.0f};
      *reinterpret_cast<float2*>(memory_ + put_step_ + i * 2 * kGroupChannels * 16) = step;
    }
  }

  /// Advances 16 states of each channel over the tile; adds their sums to y.
  __device__ __forceinline__ void Advance(const std::byte* tile, unsigned round, unsigned token,
                                          unsigned block, float (&y)[kItems]) {
    const std::byte* const rows = tile + quarter_ * kLaneBytes;
    float decay[kTokens][kLaneStates], s[kTokens][kLaneStates];
    Ahead(rows, decay, s);
    float now[kLaneStates];
    TakeStates(round, token, block, now);
#pragma unroll
    for (unsigned t = 0; t < kTokens; ++t) {
#pragma unroll
      for (unsigned i = 0; i < kLaneStates; ++i)
        now[i] = s[t][i] = __fmaf_rn(decay[t][i], now[i], s[t][i]);
    }
    HandOn(token, block, now);
    float p[kTokens];
#pragma unroll
    for (unsigned t = 0; t < kTokens; ++t) {
      const float4 c =
          *reinterpret_cast<const float4*>(rows + t * 8 * kBlockStates + 4 * kBlockStates);
      p[t] = __fmul_rn(s[t][0], c.x);
      p[t] = __fmaf_rn(s[t][1], c.y, p[t]);
      p[t] = __fmaf_rn(s[t][2], c.z, p[t]);
      p[t] = __fmaf_rn(s[t][3], c.w, p[t]);
      if (!R::kSixteen && !HasState(block)) p[t] = 0.0f;
    }
    SumQuarters(p, block, y);
  }

  /// The decays and inputs of all tokens of a tile.
  __device__ __forceinline__ void Ahead(const std::byte* b_rows,
                                        float (&decay)[kTokens][kLaneStates],
                                        float (&input)[kTokens][kLaneStates]) const {
    float4 two[kTokens / 2], b[kTokens];
    const auto read = [&](unsigned t, unsigned nothing) {
      two[t / 2] = *reinterpret_cast<const float4*>(memory_ + step_ + t * 64 + nothing);
      b[t] = *reinterpret_cast<const float4*>(b_rows + t * 8 * kBlockStates + nothing);
      b[t + 1] = *reinterpret_cast<const float4*>(b_rows + (t + 1) * 8 * kBlockStates + nothing);
    };
    read(0, 0);
    read(2, 0);
#pragma unroll
    for (unsigned t = 0; t < kTokens; t += 2) {
      const float dt[] = {two[t / 2].x, two[t / 2].z}, dtx[] = {two[t / 2].y, two[t / 2].w};
#pragma unroll
      for (unsigned k = 0; k < 2; ++k) {
        const float b_now[kLaneStates] = {b[t + k].x, b[t + k].y, b[t + k].z, b[t + k].w};
#pragma unroll
        for (unsigned i = 0; i < kLaneStates; ++i) {
          decay[t + k][i] = Ex2(__fmul_rn(dt[k], a_[i]));
          input[t + k][i] = ProductNow(dtx[k], b_now[i]);
        }
      }
      if (t + 4 < kTokens) {
        // Reading waits for exponentials: else the compiler puts all of these in a row, in which
        // warps get into each other's way.
        read(t + 4, (__float_as_uint(decay[t][3]) | __float_as_uint(decay[t + 1][3])) & zero_);
      }
    }
  }

  __device__ __forceinline__ void TakeStates(unsigned round, unsigned token, unsigned block,
                                             float (&s)[kLaneStates]) const {
    if (token == 0) {
#pragma unroll
      for (unsigned i = 0; i < kLaneStates; ++i)
        s[i] = HasState(block) ? sequence_.state[StateAt(block, i)] : 0.0f;
      return;
    }
    // The first warp of a ring does not wait for its first tile.
    Turn(block, place_).Wait((place_ == 0 ? round - 1 : round) % 2);
    const float4 four = *reinterpret_cast<const float4*>(memory_ + state_ + block * R::kStateBytes);
    s[0] = four.x, s[1] = four.y, s[2] = four.z, s[3] = four.w;
  }

  __device__ __forceinline__ void HandOn(unsigned token, unsigned block,
                                         const float (&s)[kLaneStates]) const {
    if (token + kTokens >= sequence_.row_count) {
      if (!HasState(block)) return;
#pragma unroll
      for (unsigned i = 0; i < kLaneStates; ++i) sequence_.state[StateAt(block, i)] = s[i];
      return;
    }
    *reinterpret_cast<float4*>(memory_ + state_ + block * R::kStateBytes) = {s[0], s[1], s[2],
                                                                             s[3]};
    __syncwarp();
    if (lane_ == 0) Turn(block, place_ + 1 == R::kWarps ? 0 : place_ + 1).Arrive();
  }

  /// (p of quarter 0 + 1) + (2 + 3) of every token, each to the lane that finishes it: token
  /// 4 * i + q to quarter q.
  __device__ __forceinline__ void SumQuarters(const float (&p)[kTokens], unsigned block,
                                              float (&y)[kItems]) const {
    const bool low = lane_ & kLowLane, high = lane_ & kHighLane;
    float pairs[kTokens / 2];
#pragma unroll
    for (unsigned i = 0; i < kTokens / 2; ++i) {
      const float kept = low ? p[2 * i + 1] : p[2 * i], given = low ? p[2 * i] : p[2 * i + 1];
      pairs[i] = __fadd_rn(kept, __shfl_xor_sync(kAll, given, kLowLane));
    }
#pragma unroll
    for (unsigned i = 0; i < kItems; ++i) {
      const float kept = high ? pairs[2 * i + 1] : pairs[2 * i];
      const float given = high ? pairs[2 * i] : pairs[2 * i + 1];
      const float sum = __fadd_rn(kept, __shfl_xor_sync(kAll, given, kHighLane));
      y[i] = block == 0 ? sum : __fadd_rn(y[i], sum);
    }
  }

  const Mamba1Operands& args_;
  const RoundBoxes& boxes_;
  const DeviceSequence sequence_;
  std::byte* const memory_;
  const unsigned groups_, group_, place_, lane_;
  unsigned quarter_, channel_;
  // Offsets in shared memory: this lane's first item in a round's x, its steps to read and to
  // write, its states between tiles.
  unsigned item_, step_, put_step_, state_;
  Shared barriers_;
  uint16_t* out_;
  float d_, bias_, a_[kLaneStates];
  unsigned zero_;  // 0, of which the compiler does not know
};

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_MAMBA1_RING_WARP_CUH_
