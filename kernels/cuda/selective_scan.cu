// SPDX-License-Identifier: Apache-2.0
// Selective scan, in token order, parallel over channels and over the states of a channel.
//
// The sum over states, y = fma(s[n], C[n], y), is one chain, but the states themselves do not wait
// for each other. So kLanes lanes share a channel, each with kPerLane of its states in registers,
// and y travels along them: lane q works on token i - q at step i, takes the partial y of its token
// from lane q - 1 and hands it on. Every lane works at every step but the first and last few of a
// tile, and the order of every sum is the reference's.
//
// Block: 128 threads, 128 / kLanes channels of one sequence. Tiles of up to 64 tokens of x, dt, z,
// B and C come to shared memory by asynchronous copies, one tile ahead; y takes the place of x
// there; the gate is applied by all threads when a tile is done. Traffic: x, dt, z read and y
// written once; B and C once a block, from the second cache; the state once a call.
#include <algorithm>

#include "kernels/cuda/scan_tile.cuh"

namespace statelib::kernels::cuda {

namespace {

constexpr unsigned kTileTokens = 64;
// Sequences of up to this many tokens, of which several lanes a channel would mostly idle.
constexpr unsigned kShortTokens = 4;

struct ScanArgs {
  const float *x, *dt, *b, *c, *z, *a, *d;
  float* y;
  size_t x_stride, dt_stride, b_stride, c_stride, z_stride, y_stride;
  unsigned channels, states;
  unsigned tile_tokens;
};

/// B or C of the states of one lane, read at once or 16 bytes at a time.
template <unsigned kPerLane>
struct alignas(kPerLane < 4 ? 4 * kPerLane : 16) LaneStates {
  float at[kPerLane];
};

/// Where the tiles of a block lie in shared memory.
template <unsigned kPerLane, unsigned kLanes>
struct Tiles {
  static constexpr unsigned kStates = kPerLane * kLanes;
  static constexpr unsigned kChannels = kScanThreads / kLanes;
  // Lanes of a warp read kLanes rows at once; this stride puts them in different banks.
  static constexpr unsigned kStride = kChannels + kWarpLanes / kLanes;

  static constexpr size_t Floats(unsigned tokens) {
    return static_cast<size_t>(tokens) * (3 * kStride + 2 * kStates);
  }

  __device__ Tiles(float* memory, unsigned tokens)
      : b(memory),
        c(b + tokens * kStates),
        x(c + tokens * kStates),
        dt(x + tokens * kStride),
        z(dt + tokens * kStride) {}

  /// Begins to bring `count` tokens, the first of them `row`.
  __device__ void Bring(const ScanArgs& args, size_t row, unsigned count) const {
    const unsigned first = blockIdx.x * kChannels, left = args.channels - first;
    BringTile<kChannels>(x, kStride, args.x + row * args.x_stride + first, args.x_stride, count,
                         left);
    BringTile<kChannels>(dt, kStride, args.dt + row * args.dt_stride + first, args.dt_stride, count,
                         left);
    BringTile<kChannels>(z, kStride, args.z + row * args.z_stride + first, args.z_stride, count,
                         left);
    BringTile<kStates>(b, kStates, args.b + row * args.b_stride, args.b_stride, count, kStates);
    BringTile<kStates>(c, kStates, args.c + row * args.c_stride, args.c_stride, count, kStates);
  }

  float *b, *c;       // [tokens][kStates]
  float *x, *dt, *z;  // [tokens][kStride]
};

/// What a lane needs for one token.
template <unsigned kPerLane>
struct Operands {
  template <typename T>
  __device__ __forceinline__ void Read(const T& tiles, LaneToken token, unsigned q,
                                       unsigned channel, float d, const float (&a)[kPerLane]) {
    const unsigned t = token.index, at = t * T::kStride + channel;
    const unsigned first_state = t * T::kStates + q * kPerLane;
    // There may be a y already where an idle lane would read.
    const float x = token.works ? tiles.x[at] : 0.0f, dt = tiles.dt[at];
    b = *reinterpret_cast<const LaneStates<kPerLane>*>(tiles.b + first_state);
    c = *reinterpret_cast<const LaneStates<kPerLane>*>(tiles.c + first_state);
    dtx = __fmul_rn(dt, x);
    skip = __fmul_rn(d, x);
#pragma unroll
    for (unsigned n = 0; n < kPerLane; ++n) decay[n] = exact::Exp(__fmul_rn(dt, a[n]));
  }

  float dtx, skip, decay[kPerLane];
  LaneStates<kPerLane> b, c;
};

/// Advances this lane's states over a tile; leaves y in the place of x, which every lane
/// of the channel has read by then.
template <unsigned kPerLane, unsigned kLanes>
__device__ __forceinline__ void ScanTile(const Tiles<kPerLane, kLanes>& tiles, unsigned count,
                                         const ScanPlace<kLanes>& place, float d,
                                         const float (&a)[kPerLane], float (&s)[kPerLane]) {
  using T = Tiles<kPerLane, kLanes>;
  const unsigned steps = count + kLanes - 1;
  float y = 0.0f;
  Operands<kPerLane> now, next;
  now.Read(tiles, LaneToken(0, place.q, count), place.q, place.channel, d, a);
#pragma unroll 2
  for (unsigned step = 0; step < steps; ++step) {
    const LaneToken token(step, place.q, count);
    const float handed_on =
        kLanes > 1 ? __shfl_up_sync(0xffffffff, y, place.kChannelsOfWarp % kWarpLanes) : 0.0f;
    next.Read(tiles, LaneToken(step + 1, place.q, count), place.q, place.channel, d, a);
    y = place.q == 0 ? now.skip : handed_on;
#pragma unroll
    for (unsigned n = 0; n < kPerLane; ++n)
      ScanStep(now.decay[n], now.dtx, now.b.at[n], now.c.at[n], token.works, s[n], y);
    if (token.works && place.q == kLanes - 1) tiles.x[token.index * T::kStride + place.channel] = y;
    now = next;
  }
}

template <unsigned kPerLane, unsigned kLanes>
__global__ void __launch_bounds__(kScanThreads)
    SelectiveScanKernel(ScanArgs args, Sequences sequences) {
  using T = Tiles<kPerLane, kLanes>;
  extern __shared__ float4 shared_memory[];
  const Sequence sequence = sequences.At(blockIdx.y);
  float* const memory = reinterpret_cast<float*>(shared_memory);
  const auto tile_at = [&](unsigned index) {
    return T(memory + index * T::Floats(args.tile_tokens), args.tile_tokens);
  };
  const unsigned tokens = sequence.row_count;
  const auto size_of = [&](unsigned first) { return min(args.tile_tokens, tokens - first); };
  tile_at(0).Bring(args, sequence.first_row, size_of(0));
  __pipeline_commit();

  const ScanPlace<kLanes> place;
  const unsigned first_channel = blockIdx.x * T::kChannels;
  const unsigned channel = first_channel + place.channel;
  const unsigned readable = min(channel, args.channels - 1);
  float a[kPerLane], s[kPerLane];
#pragma unroll
  for (unsigned n = 0; n < kPerLane; ++n) {
    const size_t at = static_cast<size_t>(place.q * kPerLane + n) * args.channels + readable;
    a[n] = args.a[at];
    s[n] = sequence.state[at];
  }
  const float d = args.d[readable];

  for (unsigned first = 0, current = 0; first < tokens; first += args.tile_tokens, current ^= 1) {
    const unsigned count = size_of(first), next = first + count;
    const T tile = tile_at(current);
    if (next < tokens) tile_at(current ^ 1).Bring(args, sequence.first_row + next, size_of(next));
    __pipeline_commit();
    __pipeline_wait_prior(1);
    __syncthreads();
    ScanTile<kPerLane, kLanes>(tile, count, place, d, a, s);
    __syncthreads();
    float* y = args.y + (sequence.first_row + first) * args.y_stride + first_channel;
    StoreGated<T::kChannels>(tile.x, tile.z, T::kStride, y, args.y_stride, count,
                             args.channels - first_channel);
    __syncthreads();  // the tile after the next one overwrites this one
  }
  if (channel >= args.channels) return;
#pragma unroll
  for (unsigned n = 0; n < kPerLane; ++n)
    sequence.state[static_cast<size_t>(place.q * kPerLane + n) * args.channels + channel] = s[n];
}

/// Any number of states: a thread a channel, the states stay in memory. For sizes that no published
/// model has.
__global__ void __launch_bounds__(kScanThreads)
    AnyStatesKernel(ScanArgs args, Sequences sequences) {
  const Sequence sequence = sequences.At(blockIdx.y);
  const unsigned channel = blockIdx.x * kScanThreads + threadIdx.x;
  if (channel >= args.channels) return;
  for (size_t t = sequence.first_row; t < sequence.first_row + sequence.row_count; ++t) {
    const float x = args.x[t * args.x_stride + channel], dt = args.dt[t * args.dt_stride + channel];
    const float dtx = __fmul_rn(dt, x);
    float y = __fmul_rn(args.d[channel], x);
    for (unsigned n = 0; n < args.states; ++n) {
      const size_t at = static_cast<size_t>(n) * args.channels + channel;
      ScanStep(exact::Exp(__fmul_rn(dt, args.a[at])), dtx, args.b[t * args.b_stride + n],
               args.c[t * args.c_stride + n], true, sequence.state[at], y);
    }
    args.y[t * args.y_stride + channel] =
        __fmul_rn(y, exact::Silu(args.z[t * args.z_stride + channel]));
  }
}

/// A kernel with what its launch needs.
struct ScanChoice {
  void (*kernel)(ScanArgs, Sequences);
  unsigned channels_of_block;
  size_t shared_bytes;
};

template <unsigned kPerLane, unsigned kLanes>
ScanChoice Choose(unsigned tile_tokens) {
  using T = Tiles<kPerLane, kLanes>;
  constexpr auto kKernel = SelectiveScanKernel<kPerLane, kLanes>;
  constexpr unsigned kTokensMax = kLanes == 1 ? kShortTokens : kTileTokens;
  AllowSharedMemory<kKernel>(2 * T::Floats(kTokensMax) * sizeof(float), "selective_scan");
  return {kKernel, T::kChannels, 2 * T::Floats(tile_tokens) * sizeof(float)};
}

/// Many lanes a channel make use of a device that a few channels would leave idle; few lanes lose
/// fewer steps at the ends of a tile.
ScanChoice Choose(unsigned states, unsigned tile_tokens, size_t channels) {
  constexpr size_t kManyChannels = 16384;
  const bool is_short = tile_tokens <= kShortTokens;
  if (states == 16 && is_short) return Choose<16, 1>(tile_tokens);
  if (states == 16 && channels > kManyChannels) return Choose<4, 4>(tile_tokens);
  if (states == 16) return Choose<2, 8>(tile_tokens);
  if (states == 8) return is_short ? Choose<8, 1>(tile_tokens) : Choose<2, 4>(tile_tokens);
  return {AnyStatesKernel, kScanThreads, 0};
}

}  // namespace

void LaunchSelectiveScan(const SelectiveScanArgs& args) {
  ScanArgs scan{};
  scan.x = args.x.f32(), scan.x_stride = args.x.stride;
  scan.dt = args.dt.f32(), scan.dt_stride = args.dt.stride;
  scan.b = args.b.f32(), scan.b_stride = args.b.stride;
  scan.c = args.c.f32(), scan.c_stride = args.c.stride;
  scan.z = args.z.f32(), scan.z_stride = args.z.stride;
  scan.y = args.y.f32(), scan.y_stride = args.y.stride;
  scan.a = args.a;
  scan.d = args.d;
  scan.channels = static_cast<unsigned>(args.x.cols);
  scan.states = static_cast<unsigned>(args.b.cols);
  scan.tile_tokens =
      static_cast<unsigned>(std::min<size_t>(args.sequences.rows_longest, kTileTokens));
  const ScanChoice choice =
      Choose(scan.states, scan.tile_tokens, args.x.cols * args.sequences.count);
  const size_t blocks = (args.x.cols + choice.channels_of_block - 1) / choice.channels_of_block;
  const dim3 grid(GridX(blocks), GridY(args.sequences.count));
  choice.kernel<<<grid, kScanThreads, choice.shared_bytes, kStream>>>(
      scan, Sequences(args.sequences, args.state));
  CheckCuda(cudaGetLastError(), "selective_scan");
}

}  // namespace statelib::kernels::cuda
