// SPDX-License-Identifier: Apache-2.0
// Mamba-2's scan, in token order: the lanes of a channel hold its states and hand y on, as in
// selective_scan.cu. A block takes 128 / kLanes channels of one head of one sequence; the head's
// time step and decay are computed once a token and block. Traffic: x and z read and y written
// once; B and C of the head's group once a block, from the second cache; the state once a call.
#include <algorithm>

#include "kernels/cuda/scan_tile.cuh"

namespace statelib::kernels::cuda {

namespace {

constexpr unsigned kTileTokens = 64;
// Sequences of up to this many tokens, of which many lanes a channel would mostly idle.
constexpr unsigned kShortTokens = 4;

struct HeadArgs {
  const float *x, *dt_raw, *b, *c, *z, *dt_bias, *a, *d;
  float* y;
  size_t x_stride, dt_stride, b_stride, c_stride, z_stride, y_stride;
  float dt_min, dt_max;
  unsigned heads, width, states;  // width: channels of a head, P
  unsigned heads_of_group;
  unsigned tile_tokens;
};

struct TimeStep {
  float dt, decay;
};

__device__ __forceinline__ TimeStep MakeTimeStep(const HeadArgs& args, unsigned head, float raw) {
  float dt = exact::Softplus(__fadd_rn(raw, args.dt_bias[head]));
  dt = dt < args.dt_min ? args.dt_min : dt;
  dt = args.dt_max < dt ? args.dt_max : dt;
  return {dt, exact::Exp(__fmul_rn(dt, args.a[head]))};
}

/// The channels of a block: some of one head.
struct BlockOfHead {
  __device__ BlockOfHead(const HeadArgs& args, unsigned channels) {
    const unsigned blocks = (args.width + channels - 1) / channels;
    head = blockIdx.x / blocks;
    first = blockIdx.x % blocks * channels;
    left = args.width - first;
    group = head / args.heads_of_group;
  }

  unsigned head, group;
  unsigned first;  // channel of the head
  unsigned left;   // channels of the head from there on, maybe more than the block has
};

/// Where the tiles of a block lie in shared memory.
template <unsigned kPerLane, unsigned kLanes>
struct Tiles {
  static constexpr unsigned kStates = kPerLane * kLanes;
  static constexpr unsigned kChannels = kScanThreads / kLanes;
  // Lanes of a warp read kLanes rows at once; these strides put them in different banks.
  static constexpr unsigned kStride = kChannels + kWarpLanes / kLanes;
  static constexpr unsigned kStateStride = kStates + 4;

  static constexpr size_t Floats(unsigned tokens) {
    return static_cast<size_t>(tokens) * (2 * kStride + 2 * kStateStride + 2);
  }

  __device__ Tiles(float* memory, unsigned tokens)
      : b(memory),
        c(b + tokens * kStateStride),
        x(c + tokens * kStateStride),
        z(x + tokens * kStride),
        steps(reinterpret_cast<TimeStep*>(z + tokens * kStride)) {}

  /// Begins to bring `count` tokens, the first of them `row`.
  __device__ void Bring(const HeadArgs& args, const BlockOfHead& block, size_t row,
                        unsigned count) const {
    const size_t column = block.head * args.width + block.first;
    const unsigned group = block.group * kStates;
    BringTile<kChannels>(x, kStride, args.x + row * args.x_stride + column, args.x_stride, count,
                         block.left);
    BringTile<kChannels>(z, kStride, args.z + row * args.z_stride + column, args.z_stride, count,
                         block.left);
    BringTile<kStates>(b, kStateStride, args.b + row * args.b_stride + group, args.b_stride, count,
                       kStates);
    BringTile<kStates>(c, kStateStride, args.c + row * args.c_stride + group, args.c_stride, count,
                       kStates);
  }

  float *b, *c;     // [tokens][kStateStride]
  float *x, *z;     // [tokens][kStride]
  TimeStep* steps;  // [tokens]
};

/// What a lane needs for one token.
template <unsigned kPerLane>
struct Operands {
  template <typename T>
  __device__ __forceinline__ void Read(const T& tiles, LaneToken token, unsigned q,
                                       unsigned channel, float d) {
    const unsigned t = token.index;
    const TimeStep step = tiles.steps[t];
    // There may be a y already where an idle lane would read.
    const float x = token.works ? tiles.x[t * T::kStride + channel] : 0.0f;
    const unsigned first_state = t * T::kStateStride + q * kPerLane;
#pragma unroll
    for (unsigned n = 0; n < kPerLane; n += 4) {
      b[n / 4] = *reinterpret_cast<const float4*>(tiles.b + first_state + n);
      c[n / 4] = *reinterpret_cast<const float4*>(tiles.c + first_state + n);
    }
    decay = step.decay;
    dtx = __fmul_rn(step.dt, x);
    skip = __fmul_rn(d, x);
  }

  float decay, dtx, skip;
  float4 b[kPerLane / 4], c[kPerLane / 4];
};

/// Advances this lane's states over a tile; leaves y in the place of x, which every lane
/// of the channel has read by then.
template <unsigned kPerLane, unsigned kLanes>
__device__ __forceinline__ void ScanTile(const Tiles<kPerLane, kLanes>& tiles, unsigned count,
                                         const ScanPlace<kLanes>& place, float d,
                                         float (&s)[kPerLane]) {
  using T = Tiles<kPerLane, kLanes>;
  const unsigned steps = count + kLanes - 1;
  float y = 0.0f;
  Operands<kPerLane> now, next;
  now.Read(tiles, LaneToken(0, place.q, count), place.q, place.channel, d);
#pragma unroll 2
  for (unsigned step = 0; step < steps; ++step) {
    const LaneToken token(step, place.q, count);
    const float handed_on = __shfl_up_sync(0xffffffff, y, place.kChannelsOfWarp);
    next.Read(tiles, LaneToken(step + 1, place.q, count), place.q, place.channel, d);
    y = place.q == 0 ? now.skip : handed_on;
#pragma unroll
    for (unsigned n = 0; n < kPerLane; n += 4) {
      const float4 b = now.b[n / 4], c = now.c[n / 4];
      ScanStep(now.decay, now.dtx, b.x, c.x, token.works, s[n], y);
      ScanStep(now.decay, now.dtx, b.y, c.y, token.works, s[n + 1], y);
      ScanStep(now.decay, now.dtx, b.z, c.z, token.works, s[n + 2], y);
      ScanStep(now.decay, now.dtx, b.w, c.w, token.works, s[n + 3], y);
    }
    if (token.works && place.q == kLanes - 1) tiles.x[token.index * T::kStride + place.channel] = y;
    now = next;
  }
}

template <unsigned kPerLane, unsigned kLanes>
__global__ void __launch_bounds__(kScanThreads)
    Mamba2ScanKernel(HeadArgs args, Sequences sequences) {
  using T = Tiles<kPerLane, kLanes>;
  extern __shared__ float4 shared_memory[];
  const Sequence sequence = sequences.At(blockIdx.y);
  const BlockOfHead block(args, T::kChannels);
  float* const memory = reinterpret_cast<float*>(shared_memory);
  // Both begin on 16 bytes: tile_tokens is even.
  const auto tile_at = [&](unsigned index) {
    return T(memory + index * T::Floats(args.tile_tokens), args.tile_tokens);
  };
  const unsigned tokens = sequence.row_count;
  const auto size_of = [&](unsigned first) { return min(args.tile_tokens, tokens - first); };
  tile_at(0).Bring(args, block, sequence.first_row, size_of(0));
  __pipeline_commit();

  const ScanPlace<kLanes> place;
  const bool inside = place.channel < block.left;
  const unsigned readable = block.first + min(place.channel, block.left - 1);
  float* const state =
      sequence.state +
      (static_cast<size_t>(block.head) * T::kStates + place.q * kPerLane) * args.width + readable;
  float s[kPerLane];
#pragma unroll
  for (unsigned n = 0; n < kPerLane; ++n) s[n] = state[n * args.width];
  const float d = args.d[block.head * args.width + readable];

  for (unsigned first = 0, current = 0; first < tokens; first += args.tile_tokens, current ^= 1) {
    const unsigned count = size_of(first), next = first + count;
    const size_t row = sequence.first_row + first;
    const T tile = tile_at(current);
    if (next < tokens)
      tile_at(current ^ 1).Bring(args, block, sequence.first_row + next, size_of(next));
    __pipeline_commit();
    for (unsigned t = threadIdx.x; t < count; t += kScanThreads) {
      tile.steps[t] =
          MakeTimeStep(args, block.head, args.dt_raw[(row + t) * args.dt_stride + block.head]);
    }
    __pipeline_wait_prior(1);
    __syncthreads();
    ScanTile<kPerLane, kLanes>(tile, count, place, d, s);
    __syncthreads();
    float* y = args.y + row * args.y_stride + block.head * args.width + block.first;
    StoreGated<T::kChannels>(tile.x, tile.z, T::kStride, y, args.y_stride, count, block.left);
    __syncthreads();  // the tile after the next one overwrites this one
  }
  if (!inside) return;
#pragma unroll
  for (unsigned n = 0; n < kPerLane; ++n) state[n * args.width] = s[n];
}

/// Any number of states: a thread a channel, the states stay in memory. For sizes that no published
/// model has.
__global__ void __launch_bounds__(kScanThreads)
    AnyStatesKernel(HeadArgs args, Sequences sequences) {
  const Sequence sequence = sequences.At(blockIdx.y);
  const BlockOfHead block(args, kScanThreads);
  if (threadIdx.x >= block.left) return;
  const unsigned p = block.first + threadIdx.x;
  const size_t e = static_cast<size_t>(block.head) * args.width + p;
  float* const state =
      sequence.state + static_cast<size_t>(block.head) * args.states * args.width + p;
  for (size_t t = sequence.first_row; t < sequence.first_row + sequence.row_count; ++t) {
    const TimeStep now =
        MakeTimeStep(args, block.head, args.dt_raw[t * args.dt_stride + block.head]);
    const float *b = args.b + t * args.b_stride + block.group * args.states,
                *c = args.c + t * args.c_stride + block.group * args.states;
    const float x = args.x[t * args.x_stride + e], dtx = __fmul_rn(now.dt, x);
    float y = __fmul_rn(args.d[e], x);
    for (unsigned n = 0; n < args.states; ++n)
      ScanStep(now.decay, dtx, b[n], c[n], true, state[static_cast<size_t>(n) * args.width], y);
    args.y[t * args.y_stride + e] = __fmul_rn(y, exact::Silu(args.z[t * args.z_stride + e]));
  }
}

/// A kernel with what its launch needs.
struct ScanChoice {
  void (*kernel)(HeadArgs, Sequences);
  unsigned channels_of_block;
  size_t shared_bytes;
};

template <unsigned kPerLane, unsigned kLanes>
ScanChoice Choose(unsigned tile_tokens) {
  using T = Tiles<kPerLane, kLanes>;
  constexpr auto kKernel = Mamba2ScanKernel<kPerLane, kLanes>;
  constexpr unsigned kTokensMax = kPerLane > 16 ? kShortTokens : kTileTokens;
  AllowSharedMemory<kKernel>(2 * T::Floats(kTokensMax) * sizeof(float), "mamba2_scan");
  return {kKernel, T::kChannels, 2 * T::Floats(tile_tokens) * sizeof(float)};
}

ScanChoice Choose(unsigned states, unsigned tile_tokens) {
  if (states == 128 && tile_tokens <= kShortTokens) return Choose<32, 4>(tile_tokens);
  if (states == 128) return Choose<16, 8>(tile_tokens);
  if (states == 64) return Choose<8, 8>(tile_tokens);
  if (states == 16) return Choose<4, 4>(tile_tokens);
  return {AnyStatesKernel, kScanThreads, 0};
}

}  // namespace

void LaunchMamba2Scan(const Mamba2ScanArgs& args) {
  HeadArgs scan{};
  scan.x = args.x.f32(), scan.x_stride = args.x.stride;
  scan.dt_raw = args.dt_raw.f32(), scan.dt_stride = args.dt_raw.stride;
  scan.b = args.b.f32(), scan.b_stride = args.b.stride;
  scan.c = args.c.f32(), scan.c_stride = args.c.stride;
  scan.z = args.z.f32(), scan.z_stride = args.z.stride;
  scan.y = args.y.f32(), scan.y_stride = args.y.stride;
  scan.dt_bias = args.dt_bias;
  scan.a = args.a;
  scan.d = args.d;
  scan.dt_min = args.dt_min;
  scan.dt_max = args.dt_max;
  scan.heads = static_cast<unsigned>(args.dt_raw.cols);
  scan.width = static_cast<unsigned>(args.x.cols) / scan.heads;
  scan.states = static_cast<unsigned>(args.b.cols / args.groups);
  scan.heads_of_group = scan.heads / static_cast<unsigned>(args.groups);
  scan.tile_tokens = static_cast<unsigned>(
      std::min<size_t>((args.sequences.rows_longest + 1) / 2 * 2, kTileTokens));
  const ScanChoice choice = Choose(scan.states, scan.tile_tokens);
  const unsigned channels = choice.channels_of_block;
  const size_t blocks = static_cast<size_t>((scan.width + channels - 1) / channels) * scan.heads;
  const dim3 grid(GridX(blocks), GridY(args.sequences.count));
  choice.kernel<<<grid, kScanThreads, choice.shared_bytes, kStream>>>(
      scan, Sequences(args.sequences, args.state));
  CheckCuda(cudaGetLastError(), "mamba2_scan");
}

}  // namespace statelib::kernels::cuda
