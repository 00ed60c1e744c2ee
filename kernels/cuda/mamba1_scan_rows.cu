// SPDX-License-Identifier: Apache-2.0
// Mamba-1's scan over many rows. Only s = a * s + b waits for the token before; a, b and what
// follows from s do not. So kGroupChannels channels with 16 states each, one warp's worth, are
// given to a ring of warps that take tiles of kTokens tokens in turn: a warp computes the a and b
// of its tile ahead, takes the states over from the warp before it, runs the chain of one
// multiply-add a token, hands the states on and then computes y. Rings of a block spread over the
// schedulers of a multiprocessor evenly, whatever the number of channels.
//
// A lane holds four states of one channel. What a warp needs of x, z and dt it brings to shared
// memory itself, two of its tiles ahead. B and C come as f32 for all rings of the block, by a warp
// of each ring in turn. Traffic: x, dt, z read and y written once; B and C once a block, from the
// second cache; the state once a call.
#include <cuda_pipeline_primitives.h>

#include <algorithm>

#include "kernels/cuda/bulk_copy.cuh"
#include "kernels/cuda/device.h"
#include "kernels/cuda/mamba1_scan.cuh"

namespace statelib::kernels::cuda {

namespace {

constexpr unsigned kWarp = 32, kAll = 0xffffffff;
constexpr unsigned kGroupChannels = 8;
constexpr unsigned kStages = 3;       // tiles of x, z and dt that a warp has on their way or in use
constexpr unsigned kTokenBytes = 64;  // of x, z and dt of eight channels
struct RingShape {
  unsigned groups;  // rings of a block
  unsigned warps;   // of a ring
};

/// Where everything lies in a block's shared memory.
template <unsigned kTokens>
struct Memory {
  static constexpr unsigned kSlots =
      kTokens == 8 ? 20 : 32;  // more than twice a ring's warps; one a warp
  static constexpr unsigned kSlotFloats = kTokens * 2 * kBlockStates;
  static constexpr unsigned kRowBytes = kTokens * kTokenBytes;
  // Stages of x, z and dt; steps; B and C as they come.
  static constexpr unsigned kWarpBytes = (kStages + 2) * kRowBytes;

  static constexpr size_t Bytes(RingShape shape, unsigned state_blocks) {
    const size_t lists = size_t{shape.groups} * state_blocks;
    return kSlots * kSlotFloats * sizeof(float) + lists * kWarp * sizeof(float4) +
           size_t{shape.groups} * shape.warps * kWarpBytes +
           (2 * kSlots + lists * shape.warps) * Barrier::kBytes;
  }

  __device__ Memory(float4* memory, RingShape shape_in, unsigned state_blocks_in,
                    unsigned live_groups_in)
      : shape(shape_in), state_blocks(state_blocks_in), live_groups(live_groups_in) {
    bc = reinterpret_cast<float*>(memory);
    states = reinterpret_cast<float4*>(bc + kSlots * kSlotFloats);
    warps = reinterpret_cast<std::byte*>(states + shape.groups * state_blocks * kWarp);
    barriers = static_cast<Shared>(
        __cvta_generic_to_shared(warps + shape.groups * shape.warps * kWarpBytes));
  }

  __device__ Barrier Full(unsigned slot) const { return {barriers + slot * Barrier::kBytes}; }
  __device__ Barrier Free(unsigned slot) const { return Full(kSlots + slot); }
  /// Told when the states of a group and block are there for a warp of its ring.
  __device__ Barrier Turn(unsigned group, unsigned block, unsigned place) const {
    return Full(2 * kSlots + (group * state_blocks + block) * shape.warps + place);
  }
  __device__ void InitBarriers() const {
    for (unsigned i = threadIdx.x; i < 2 * kSlots; i += blockDim.x)
      Full(i).Init(i < kSlots ? 1 : live_groups);
    for (unsigned i = threadIdx.x; i < shape.groups * state_blocks * shape.warps; i += blockDim.x)
      Full(2 * kSlots + i).Init(1);
    FenceBarriers();
    __syncthreads();
  }

  RingShape shape;
  unsigned state_blocks, live_groups;
  float* bc;         // [slot][token][B of 16 states, C of 16 states]
  float4* states;    // [group][block of states][lane]
  std::byte* warps;  // [warp][kWarpBytes]
  Shared barriers;
};

/// Two bf16 as f32.
__device__ __forceinline__ float2 Widen(unsigned pair) {
  return {__uint_as_float(pair << 16), __uint_as_float(pair & 0xffff0000u)};
}
__device__ __forceinline__ void PutWidened(float* to, uint4 eight) {
  const float2 a = Widen(eight.x), b = Widen(eight.y), c = Widen(eight.z), d = Widen(eight.w);
  reinterpret_cast<float4*>(to)[0] = {a.x, a.y, b.x, b.y};
  reinterpret_cast<float4*>(to)[1] = {c.x, c.y, d.x, d.y};
}

/// Brings 16 states' B and C of a tile: a lane eight states of a token (and of the token eight
/// further on), which it widens itself. Rows and states past the last are +0.
template <unsigned kTokens>
class StateCopies {
 public:
  __device__ StateCopies(const Mamba1Operands& args, const DeviceSequence& sequence, unsigned lane)
      : rows_(sequence.row_count), states_(args.states), lane_(lane) {
    const bool is_b = lane % 4 < 2;
    stride_ = static_cast<unsigned>(is_b ? args.b_stride : args.c_stride);
    from_ =
        (is_b ? args.b : args.c) + (size_t{sequence.first_row} + lane / 4) * stride_ + lane % 2 * 8;
  }

  __device__ __forceinline__ void Begin(std::byte* raw, unsigned token, unsigned block) const {
#pragma unroll
    for (unsigned i = 0; i < kTokens; i += 8) {
      const bool is_there =
          token + i + lane_ / 4 < rows_ && block * kBlockStates + lane_ % 2 * 8 < states_;
      const uint16_t* from = from_ + (size_t{token} + i) * stride_ + block * kBlockStates;
      __pipeline_memcpy_async(raw + (i * 4 + lane_) * 16, is_there ? from : from_, 16,
                              is_there ? 0 : 16);
    }
  }
  __device__ __forceinline__ void Widen(const std::byte* raw, float* to) const {
#pragma unroll
    for (unsigned i = 0; i < kTokens; i += 8) {
      PutWidened(to + (i + lane_ / 4) * 2 * kBlockStates + lane_ % 4 * 8,
                 *reinterpret_cast<const uint4*>(raw + (i * 4 + lane_) * 16));
    }
  }

 private:
  unsigned rows_, states_, lane_, stride_;
  const uint16_t* from_;
};

/// A warp of a ring and its lane: channel and quarter of the 16 states. The bits of a lane are so
/// assigned that neighbours read the same words of shared memory.
struct Place {
  __device__ Place() : lane(threadIdx.x % kWarp) {
    channel = (lane & 1) | (lane >> 1 & 6);
    low = lane >> 1 & 1;
    high = lane >> 4;
    quarter = low | high << 1;
  }
  static constexpr unsigned kLowLane = 2, kHighLane = 16;  // lanes of quarters that differ in a bit
  unsigned lane, channel, low, high, quarter;
};

/// Brings a warp's rows of x, z and dt, 16 bytes a copy.
template <unsigned kTokens>
class Copies {
 public:
  static constexpr unsigned kEach = kTokens * 4 / kWarp;

  __device__ Copies(const Mamba1Operands& args, const DeviceSequence& sequence,
                    unsigned first_channel, unsigned lane)
      : tokens_(sequence.row_count) {
#pragma unroll
    for (unsigned i = 0; i < kEach; ++i) {
      const unsigned at = i * kWarp + lane;
      const bool is_dt = at >= 2 * kTokens;
      row_[i] = is_dt ? (at - 2 * kTokens) / 2 : at % kTokens;
      const size_t row = sequence.first_row + row_[i];
      if (is_dt) {
        from_[i] = reinterpret_cast<const std::byte*>(args.dt + row * args.dt_stride +
                                                      first_channel + at % 2 * 4);
        stride_[i] = static_cast<unsigned>(args.dt_stride * sizeof(float));
      } else {
        const bool is_x = at < kTokens;
        const size_t stride = is_x ? args.x_stride : args.z_stride;
        from_[i] = reinterpret_cast<const std::byte*>((is_x ? args.x : args.z) + row * stride +
                                                      first_channel);
        stride_[i] = static_cast<unsigned>(stride * sizeof(uint16_t));
      }
    }
  }

  /// Begins with the tile whose first token is `token`; rows past the last are +0.
  __device__ __forceinline__ void Begin(std::byte* stage, unsigned lane, unsigned token) const {
    if (token < tokens_) {
#pragma unroll
      for (unsigned i = 0; i < kEach; ++i) {
        const bool is_there = token + row_[i] < tokens_;
        __pipeline_memcpy_async(stage + (i * kWarp + lane) * 16,
                                is_there ? from_[i] + size_t{token} * stride_[i] : from_[i], 16,
                                is_there ? 0 : 16);
      }
    }
    __pipeline_commit();
  }

 private:
  unsigned tokens_;
  unsigned row_[kEach];
  const std::byte* from_[kEach];
  unsigned stride_[kEach];
};

/// One warp's way through its tiles.
template <unsigned kTokens, bool kSoftplusToo, bool kSixteen>
class RingWarp {
 public:
  static constexpr unsigned kItems = kTokens / 4;  // tokens of its channel that a lane finishes

  __device__ RingWarp(const Mamba1Operands& args, const DeviceSequence& sequence,
                      const Memory<kTokens>& memory, unsigned group, unsigned place)
      : args_(args),
        sequence_(sequence),
        memory_(memory),
        state_copies_(args, sequence, at_.lane),
        group_(group),
        place_(place) {
    first_channel_ = (blockIdx.x * memory.shape.groups + group) * kGroupChannels;
    channel_ = first_channel_ + at_.channel;
    raw_ = memory.warps + (group * memory.shape.warps + place) * memory.kWarpBytes;
    steps_ = reinterpret_cast<float*>(raw_ + kStages * kTokens * kTokenBytes);
    raw_states_ = raw_ + (kStages + 1) * memory.kRowBytes;
    d_ = args.d[channel_];
    bias_ = kSoftplusToo ? args.dt_bias[channel_] : 0.0f;
    if (kSixteen) ReadA(0);
  }

  __device__ __forceinline__ void Run() {
    const Copies<kTokens> copies(args_, sequence_, first_channel_, at_.lane);
    const unsigned tokens = sequence_.row_count, stride = memory_.shape.warps * kTokens;
    unsigned token = place_ * kTokens, stage = 0;
    if (kSixteen && group_ == 0 && token < tokens) {
      state_copies_.Begin(raw_states_, token, 0);
      __pipeline_commit();
      __pipeline_commit();
      PutStateRows(token / kTokens);
    }
    for (unsigned i = 0; i + 1 < kStages; ++i) copies.Begin(Stage(i), at_.lane, token + i * stride);
    for (unsigned own = 0, turn = 1; token < tokens; token += stride, ++own, ++turn) {
      __pipeline_wait_prior(kStages - 2);
      __syncwarp();
      if (turn == memory_.live_groups) turn = 0;
      const bool brings = kSixteen && turn == group_ && token + stride < tokens;
      if (brings) state_copies_.Begin(raw_states_, token + stride, 0);
      __pipeline_commit();
      const unsigned last = stage == 0 ? kStages - 1 : stage - 1;
      copies.Begin(Stage(last), at_.lane, token + (kStages - 1) * stride);
      Tile(Stage(stage), token, own);
      if (brings) PutStateRows(token / kTokens + memory_.shape.warps);
      stage = stage + 1 == kStages ? 0 : stage + 1;
    }
  }

 private:
  /// B and C of a tile, which are on their way, for all rings of the block.
  __device__ __forceinline__ void PutStateRows(unsigned tile) const {
    const unsigned slot = tile % memory_.kSlots;
    if (tile >= memory_.kSlots) memory_.Free(slot).Wait((tile / memory_.kSlots - 1) % 2);
    __pipeline_wait_prior(1);
    state_copies_.Widen(raw_states_, memory_.bc + slot * memory_.kSlotFloats);
    __syncwarp();
    if (at_.lane == 0) memory_.Full(slot).Arrive();
  }

  __device__ __forceinline__ std::byte* Stage(unsigned stage) const {
    return raw_ + stage * (kTokens * kTokenBytes);
  }

  __device__ __forceinline__ bool HasState(unsigned block) const {
    return kSixteen || block * kBlockStates + at_.quarter * kLaneStates < args_.states;
  }
  __device__ __forceinline__ size_t StateAt(unsigned block, unsigned i) const {
    return static_cast<size_t>(block * kBlockStates + at_.quarter * kLaneStates + i) *
               args_.channels +
           channel_;
  }
  __device__ __forceinline__ void ReadA(unsigned block) {
#pragma unroll
    for (unsigned i = 0; i < kLaneStates; ++i)
      a_[i] = HasState(block) ? ScaledA(__ldg(args_.a + StateAt(block, i))) : 0.0f;
  }

  __device__ __forceinline__ void Tile(const std::byte* raw, unsigned token, unsigned own) {
    const unsigned count = min(kTokens, sequence_.row_count - token);
    float x[kItems], y[kItems];
    MakeSteps(raw, count, x);
    __syncwarp();
    const unsigned tile = token / kTokens;
    for (unsigned block = 0; block < (kSixteen ? 1 : args_.state_blocks); ++block) {
      if (!kSixteen) ReadA(block);
      Advance(tile, own, block, y);
    }
    const auto* z = reinterpret_cast<const uint16_t*>(raw) + kTokens * kGroupChannels;
    uint16_t* out =
        args_.y + (sequence_.first_row + token + at_.quarter) * args_.y_stride + channel_;
#pragma unroll
    for (unsigned i = 0; i < kItems; ++i) {
      const unsigned t = i * 4 + at_.quarter;
      const uint16_t result = Finish(y[i], d_, x[i], FromBF16(z[t * kGroupChannels + at_.channel]));
      if (t < count) out[i * 4 * args_.y_stride] = result;
    }
  }

  /// dt and dt * x of the tile's tokens to shared memory. Past the last token they are +0 and -0:
  /// with B = +0 that leaves every state as it is, to the bit.
  __device__ __forceinline__ void MakeSteps(const std::byte* raw, unsigned count,
                                            float (&x)[kItems]) const {
    const auto* x_rows = reinterpret_cast<const uint16_t*>(raw);
    const auto* dt_rows = reinterpret_cast<const float*>(raw + kTokens * 32);
#pragma unroll
    for (unsigned i = 0; i < kItems; ++i) {
      const unsigned t = i * 4 + at_.quarter;
      x[i] = FromBF16(x_rows[t * kGroupChannels + at_.channel]);
      float dt = dt_rows[t * kGroupChannels + at_.channel];
      if (kSoftplusToo) dt = TimeStep(__fadd_rn(dt, bias_));
      float2 step = {dt, __fmul_rn(dt, x[i])};
      if (t >= count) step = {0.0f, -0.0f};
      *reinterpret_cast<float2*>(steps_ + (t / 2 * kGroupChannels + at_.channel) * 4 + t % 2 * 2) =
          step;
    }
  }

  /// Advances 16 states of each channel over the tile; adds their sums to y.
  __device__ __forceinline__ void Advance(unsigned tile, unsigned own, unsigned block,
                                          float (&y)[kItems]) {
    const unsigned slot = tile % memory_.kSlots;
    const float* bc = memory_.bc + slot * memory_.kSlotFloats;
    if (kSixteen) {
      memory_.Full(slot).Wait(tile / memory_.kSlots % 2);
    } else {
      bc = OwnStateRows(tile, block);
    }
    bc += at_.quarter * kLaneStates;
    float decay[kTokens][kLaneStates], s[kTokens][kLaneStates];
    Ahead(bc, decay, s);
    float now[kLaneStates];
    TakeStates(tile, own, block, now);
#pragma unroll
    for (unsigned t = 0; t < kTokens; ++t) {
#pragma unroll
      for (unsigned i = 0; i < kLaneStates; ++i)
        now[i] = s[t][i] = __fmaf_rn(decay[t][i], now[i], s[t][i]);
    }
    HandOn(tile, block, now);
    float p[kTokens];
#pragma unroll
    for (unsigned t = 0; t < kTokens; ++t) {
      const float4 c = *reinterpret_cast<const float4*>(bc + t * 2 * kBlockStates + kBlockStates);
      p[t] = __fmul_rn(s[t][0], c.x);
      p[t] = __fmaf_rn(s[t][1], c.y, p[t]);
      p[t] = __fmaf_rn(s[t][2], c.z, p[t]);
      p[t] = __fmaf_rn(s[t][3], c.w, p[t]);
      if (!kSixteen && !HasState(block)) p[t] = 0.0f;
    }
    __syncwarp();
    if (kSixteen && at_.lane == 0) memory_.Free(slot).Arrive();
    SumQuarters(p, block, y);
  }

  /// B and C of 16 states for this warp alone: where there are more of them, rings share nothing.
  __device__ __forceinline__ const float* OwnStateRows(unsigned tile, unsigned block) const {
    float* const to = memory_.bc + (group_ * memory_.shape.warps + place_) * memory_.kSlotFloats;
    state_copies_.Begin(raw_states_, tile * kTokens, block);
    __pipeline_commit();
    __pipeline_wait_prior(0);
    state_copies_.Widen(raw_states_, to);
    __syncwarp();
    return to;
  }

  /// The decays and inputs of all tokens of a tile.
  __device__ __forceinline__ void Ahead(const float* b_rows, float (&decay)[kTokens][kLaneStates],
                                        float (&input)[kTokens][kLaneStates]) const {
#pragma unroll
    for (unsigned t = 0; t < kTokens; t += 2) {
      const float4 two =
          *reinterpret_cast<const float4*>(steps_ + (t / 2 * kGroupChannels + at_.channel) * 4);
#pragma unroll
      for (unsigned k = 0; k < 2; ++k) {
        const float dt = k == 0 ? two.x : two.z, dtx = k == 0 ? two.y : two.w;
        const float4 b = *reinterpret_cast<const float4*>(b_rows + (t + k) * 2 * kBlockStates);
#pragma unroll
        for (unsigned i = 0; i < kLaneStates; ++i) decay[t + k][i] = Ex2(__fmul_rn(dt, a_[i]));
        input[t + k][0] = __fmul_rn(dtx, b.x);
        input[t + k][1] = __fmul_rn(dtx, b.y);
        input[t + k][2] = __fmul_rn(dtx, b.z);
        input[t + k][3] = __fmul_rn(dtx, b.w);
      }
    }
  }

  __device__ __forceinline__ void TakeStates(unsigned tile, unsigned own, unsigned block,
                                             float (&s)[kLaneStates]) const {
    if (tile == 0) {
#pragma unroll
      for (unsigned i = 0; i < kLaneStates; ++i)
        s[i] = HasState(block) ? sequence_.state[StateAt(block, i)] : 0.0f;
      return;
    }
    // The first warp of a ring does not wait for its first tile.
    memory_.Turn(group_, block, place_).Wait((place_ == 0 ? own - 1 : own) % 2);
    const float4 four = memory_.states[(group_ * memory_.state_blocks + block) * kWarp + at_.lane];
    s[0] = four.x, s[1] = four.y, s[2] = four.z, s[3] = four.w;
  }

  __device__ __forceinline__ void HandOn(unsigned tile, unsigned block,
                                         const float (&s)[kLaneStates]) const {
    if ((tile + 1) * kTokens >= sequence_.row_count) {
      if (!HasState(block)) return;
#pragma unroll
      for (unsigned i = 0; i < kLaneStates; ++i) sequence_.state[StateAt(block, i)] = s[i];
      return;
    }
    memory_.states[(group_ * memory_.state_blocks + block) * kWarp + at_.lane] = {s[0], s[1], s[2],
                                                                                  s[3]};
    __syncwarp();
    const unsigned next = place_ + 1 == memory_.shape.warps ? 0 : place_ + 1;
    if (at_.lane == 0) memory_.Turn(group_, block, next).Arrive();
  }

  /// (p of quarter 0 + 1) + (2 + 3) of every token, each to the lane that finishes it: token
  /// 4 * i + q to quarter q.
  __device__ __forceinline__ void SumQuarters(const float (&p)[kTokens], unsigned block,
                                              float (&y)[kItems]) const {
    float pairs[kTokens / 2];
#pragma unroll
    for (unsigned i = 0; i < kTokens / 2; ++i) {
      const float kept = at_.low ? p[2 * i + 1] : p[2 * i];
      const float given = at_.low ? p[2 * i] : p[2 * i + 1];
      pairs[i] = __fadd_rn(kept, __shfl_xor_sync(kAll, given, Place::kLowLane));
    }
#pragma unroll
    for (unsigned i = 0; i < kItems; ++i) {
      const float kept = at_.high ? pairs[2 * i + 1] : pairs[2 * i];
      const float given = at_.high ? pairs[2 * i] : pairs[2 * i + 1];
      const float sum = __fadd_rn(kept, __shfl_xor_sync(kAll, given, Place::kHighLane));
      y[i] = block == 0 ? sum : __fadd_rn(y[i], sum);
    }
  }

  const Mamba1Operands& args_;
  const DeviceSequence& sequence_;
  const Memory<kTokens>& memory_;
  const Place at_;
  const StateCopies<kTokens> state_copies_;
  unsigned group_, place_;
  unsigned first_channel_, channel_;
  std::byte* raw_;  // [stage]: x, z [kTokens][8] bf16, dt [kTokens][8] f32
  std::byte* raw_states_;
  float* steps_;  // [kTokens / 2][8 channels][dt, dt * x of two tokens]
  float d_, bias_, a_[kLaneStates];
};

/// Warps of a block: as many as have the registers that a tile takes.
template <unsigned kTokens>
constexpr unsigned kWarpsMax = kTokens == 8 ? 20 : 12;

template <unsigned kTokens, bool kSoftplusToo, bool kSixteen>
__global__ void __launch_bounds__(kWarpsMax<kTokens>* kWarp, 1)
    Mamba1RowsKernel(const __grid_constant__ Mamba1Operands args, RingShape shape) {
  extern __shared__ float4 shared_memory[];
  const DeviceSequence sequence = args.sequences[blockIdx.y];
  if (sequence.row_count == 0) return;
  const unsigned groups =
      min(shape.groups, args.channels / kGroupChannels - blockIdx.x * shape.groups);
  const Memory<kTokens> memory(shared_memory, shape, args.state_blocks, groups);
  memory.InitBarriers();
  const unsigned warp = __shfl_sync(kAll, threadIdx.x / kWarp, 0), group = warp / shape.warps;
  if (group >= groups) return;
  RingWarp<kTokens, kSoftplusToo, kSixteen>(args, sequence, memory, group, warp % shape.warps)
      .Run();
}

template <unsigned kTokens, bool kSoftplusToo, bool kSixteen>
void Launch(const Mamba1Operands& operands, const Mamba1ScanArgs& args, RingShape shape) {
  constexpr auto kKernel = Mamba1RowsKernel<kTokens, kSoftplusToo, kSixteen>;
  constexpr size_t kSharedMax = size_t{200} << 10;
  AllowSharedMemory<kKernel>(kSharedMax, "mamba-1 scan");
  const size_t groups = args.channels / kGroupChannels;
  const dim3 grid(GridX((groups + shape.groups - 1) / shape.groups), GridY(args.sequence_count));
  kKernel<<<grid, shape.groups * shape.warps * kWarp,
            Memory<kTokens>::Bytes(shape, operands.state_blocks), args.stream>>>(operands, shape);
  CheckCuda(cudaGetLastError(), "mamba-1 scan");
}

/// The number of rings a block with which the busiest multiprocessor has the fewest to run, the
/// largest such number.
unsigned RingsOfBlock(size_t groups, size_t sequences, size_t multiprocessors) {
  unsigned best = 1;
  size_t best_rings = SIZE_MAX;
  for (unsigned rings = 1; rings <= 5; ++rings) {
    const size_t blocks = (groups + rings - 1) / rings * sequences;
    const size_t of_busiest = (blocks + multiprocessors - 1) / multiprocessors * rings;
    if (of_busiest <= best_rings) best = rings, best_rings = of_busiest;
  }
  return best;
}

}  // namespace

void LaunchMamba1Rows(const Mamba1Operands& operands, const Mamba1ScanArgs& args) {
  const unsigned rings =
      RingsOfBlock(args.channels / kGroupChannels, args.sequence_count, args.multiprocessors);
  const bool sixteen = args.states == kBlockStates, softplus = args.dt_bias != nullptr;
  if (rings <= 3 && sixteen) {
    const RingShape shape{rings, 12 / rings};
    softplus ? Launch<16, true, true>(operands, args, shape)
             : Launch<16, false, true>(operands, args, shape);
  } else {
    const RingShape shape{rings, rings <= 2 ? 8u : 4u};
    if (sixteen) {
      softplus ? Launch<8, true, true>(operands, args, shape)
               : Launch<8, false, true>(operands, args, shape);
    } else {
      softplus ? Launch<8, true, false>(operands, args, shape)
               : Launch<8, false, false>(operands, args, shape);
    }
  }
}

}  // namespace statelib::kernels::cuda
