// SPDX-License-Identifier: Apache-2.0
// A tensor-core product of many rows: bound by the rate of the tensor cores.
//
// Block: one or two consuming warpgroups of 64 rows each by the outputs of the tile, and one thread
// that keeps a ring of slots in shared memory filled through the copy engine: a slot is 64 inputs
// of the tile's rows and weights. Blocks stay and take tile after tile. A thread has two sets of
// sums: one in which the tensor core adds a chain up, and the sums of the chains before it. So the
// first chain of a tile runs while the last tile's results are stored, a part after each of its
// first steps. The second warpgroup starts each chain a step later than the first: while one waits
// for the end of its chain and adds it, the other's products keep the tensor cores busy. Two blocks
// of a cluster take the same outputs of neighbouring rows; each brings half of the weights, into
// both. Traffic: x once a tile of outputs, weights once a tile of rows (a pair of them), from the
// second cache, for which tiles are taken in bands of rows.
#include <algorithm>

#include "kernels/cuda/tensor_core.cuh"
#include "kernels/cuda/tensor_product.cuh"

namespace statelib::kernels::cuda {

namespace {

constexpr unsigned kGroupRows = 64;
// Steps of a chain between which the last tile's results are stored.
constexpr unsigned kStoreParts = 4;
// Neighbouring tiles of rows that share weights in the second cache, in those of a cluster.
constexpr unsigned kBandRowTiles = 8;

/// kBlocks: of a cluster.
template <unsigned kGroupsIn, unsigned kOutputsIn, unsigned kBlocksIn, unsigned kSlotsIn>
struct Shape {
  static constexpr unsigned kGroups = kGroupsIn, kOutputs = kOutputsIn, kBlocks = kBlocksIn,
                            kSlots = kSlotsIn;
  static constexpr unsigned kTileRows = kGroups * kGroupRows;
  static constexpr unsigned kThreads = (1 + kGroups) * kGroup;
  static constexpr unsigned kSums = kOutputs / 2;  // of a thread: 64 rows of a warpgroup
  static constexpr unsigned kWeightTiles = kOutputs / kTileOutputs;
  static constexpr unsigned kInputBytes = kTileRows * kStepInputs * 2;
  static constexpr unsigned kWeightBytes = kOutputs * kStepInputs * 2;
  static constexpr unsigned kSlotBytes = kInputBytes + kWeightBytes;
  // Of each tile of weights one block of the cluster brings so many outputs.
  static constexpr unsigned kShareOutputs = kTileOutputs / kBlocks;
  static constexpr size_t kSharedBytes =
      kSharedAlignment + kSlots * kSlotBytes + (2 * kSlots + 2) * Barrier::kBytes;

  /// The output of the tile whose weights lie at place `row` of a slot: each block's share lies
  /// together.
  static __device__ constexpr unsigned OutputAt(unsigned row) {
    const unsigned share = row / (kOutputs / kBlocks), in_share = row % (kOutputs / kBlocks);
    return in_share / kShareOutputs * kTileOutputs + share * kShareOutputs +
           in_share % kShareOutputs;
  }
};

struct TilesArgs {
  unsigned steps, chain_steps;
  unsigned output_tiles, row_tiles;  // row_tiles: of a cluster's rows
  TensorStore store;
};

struct Tile {
  unsigned row, output;  // in tiles

  /// Tile `index` of the order in which they are taken: bands of rows, in a band output by output.
  __device__ Tile(const TilesArgs& args, unsigned index) {
    const unsigned band_size = kBandRowTiles * args.output_tiles;
    const unsigned first = index / band_size * kBandRowTiles, in_band = index % band_size;
    const unsigned rows = min(kBandRowTiles, args.row_tiles - first);
    row = first + in_band % rows;
    output = in_band / rows;
  }
};

/// A block's shared memory: slots, each inputs [128][64] and weights [kOutputs][64]; barriers.
template <typename S>
struct Ring {
  Shared at;

  __device__ Shared Slot(unsigned slot) const { return at + slot * S::kSlotBytes; }
  __device__ Barrier Full(unsigned slot) const {
    return Barrier{Barriers() + slot * Barrier::kBytes};
  }
  __device__ Barrier Free(unsigned slot) const { return Full(S::kSlots + slot); }
  /// Of chains in turn: the first warpgroup is a step ahead.
  __device__ Barrier Started(unsigned chain) const { return Full(2 * S::kSlots + chain % 2); }

  __device__ void Init() const {
    for (unsigned i = 0; i < S::kSlots; ++i) {
      Full(i).Init(1);
      Free(i).Init(S::kGroups * S::kBlocks);
    }
    Started(0).Init(1);
    Started(1).Init(1);
    FenceBarriers();
  }

 private:
  __device__ Shared Barriers() const { return at + S::kSlots * S::kSlotBytes; }
};

/// A place in the ring that goes round: parity is that of the slot's phase.
template <typename S>
struct Place {
  unsigned slot = 0, parity = 0;
  __device__ __forceinline__ void Advance() {
    if (++slot == S::kSlots) {
      slot = 0;
      parity ^= 1;
    }
  }
};

/// The one thread that brings inputs and weights, tile after tile.
template <typename S>
__device__ __forceinline__ void Produce(const TilesArgs& args, const CUtensorMap& x,
                                        const CUtensorMap& weights, Ring<S> ring, unsigned rank) {
  Place<S> at;
  const unsigned tiles = args.row_tiles * args.output_tiles;
  const unsigned share = rank * (S::kWeightBytes / S::kBlocks);
  for (unsigned index = blockIdx.x / S::kBlocks; index < tiles; index += gridDim.x / S::kBlocks) {
    const Tile tile(args, index);
    const unsigned row = (tile.row * S::kBlocks + rank) * S::kTileRows;
    for (unsigned step = 0; step < args.steps; ++step) {
      const Barrier full = ring.Full(at.slot);
      const Shared slot = ring.Slot(at.slot), to = slot + S::kInputBytes + share;
      ring.Free(at.slot).Wait(at.parity ^ 1);
      full.ArriveExpecting(S::kSlotBytes);
      CopyBox(slot, x, step * kStepInputs, row, full);
      if constexpr (S::kBlocks == 1) {
        CopyBox(to, weights, 0, step, tile.output * S::kWeightTiles, full);
      } else {
        CopyBoxToBlocks(to, weights, rank * S::kShareOutputs, step, tile.output * S::kWeightTiles,
                        full, (1u << S::kBlocks) - 1);
      }
      at.Advance();
    }
  }
}

/// Of sixteen columns a thread has four in two rows: neighbouring threads exchange, so that each
/// has four columns in a row. half: 0, or 1 for the eighth row after it.
__device__ __forceinline__ float4 FourInARow(const float* sums, unsigned half) {
  const bool odd = threadIdx.x % 2 != 0;
  const float* left = sums + half * 2;
  const float* right = left + 4;
  const float a = __shfl_xor_sync(~0u, odd ? left[0] : right[0], 1);
  const float b = __shfl_xor_sync(~0u, odd ? left[1] : right[1], 1);
  return odd ? float4{a, b, right[0], right[1]} : float4{left[0], left[1], a, b};
}

/// Stores a part of a thread's sums: `output` is the tile's first. kWhole: the tile lies within the
/// results, which are aligned, and there is no bias; then the addresses are those of two rows and
/// constants.
template <typename S, unsigned kPart, bool kWhole>
__device__ __forceinline__ void StorePart(const TensorStore& store, const float (&sums)[S::kSums],
                                          unsigned row, unsigned output) {
  constexpr unsigned kPairs = S::kOutputs / 16;  // of blocks of eight columns
  constexpr unsigned kFirst = kPart * kPairs / kStoreParts,
                     kLast = (kPart + 1) * kPairs / kStoreParts;
  const unsigned column = output + threadIdx.x % 2 * 8 + threadIdx.x % 4 / 2 * 4;
#pragma unroll
  for (unsigned half = 0; half < 2; ++half) {
    const unsigned at_row = row + half * 8;
    const bool has_row = at_row < store.rows;
    const size_t at = at_row * store.stride + column;
    auto* bf16 = static_cast<__nv_bfloat16*>(store.out) + at;
    auto* f32 = static_cast<float*>(store.out) + at;
#pragma unroll
    for (unsigned pair = kFirst; pair < kLast; ++pair) {
      const float4 four = FourInARow(&sums[pair * 8], half);
      if constexpr (kWhole) {
        if (!has_row) continue;
        if (store.is_bf16) {
          PutBF16(bf16 + S::OutputAt(pair * 16), four);
        } else {
          PutF32(f32 + S::OutputAt(pair * 16), four, store.adds);
        }
      } else {
        StoreFour(store, at_row, column + S::OutputAt(pair * 16), four);
      }
    }
  }
}

/// Written so that the compiler keeps the sum in its register: with two sets of sums it has no
/// third.
__device__ __forceinline__ void AddInPlace(float& sum, float part) {
  asm volatile("add.rn.f32 %0, %0, %1;" : "+f"(sum) : "f"(part));
}

/// One of two warpgroups that multiply.
template <typename S>
class Consumer {
 public:
  __device__ Consumer(const TilesArgs& args, Ring<S> ring, unsigned group, unsigned rank)
      : args_(args), ring_(ring), group_(group), rank_(rank) {}

  /// After the last tile comes a turn without products, in which its results are stored.
  __device__ __forceinline__ void Run() {
    const unsigned tiles = args_.row_tiles * args_.output_tiles;
    unsigned index = blockIdx.x / S::kBlocks;
    for (bool stored = true, more = true; more; index += gridDim.x / S::kBlocks) {
      more = index < tiles;
      const unsigned all = more ? args_.steps : 0;
      unsigned first = 0;
      do {
        const unsigned steps = min(args_.chain_steps, all - first);
        Step(0, steps);
        if (!stored) Store<0>();
        Step(1, steps);
        if (!stored) Store<1>();
        Step(2, steps);
        if (!stored) Store<2>();
        Step(3, steps);
        if (!stored) Store<3>();
        stored = true;
        for (unsigned step = kStoreParts; step < steps; ++step) Step(step, steps);
        WaitForProducts<0>();
        if (more) EndChain(first == 0);
        first += steps;
      } while (first < all);
      const Tile tile(args_, index);
      row_ = (tile.row * S::kBlocks + rank_) * S::kTileRows + group_ * kGroupRows +
             threadIdx.x % kGroup / 32 * 16 + threadIdx.x % 32 / 4;
      output_ = tile.output * S::kOutputs;
      stored = false;
    }
  }

 private:
  template <unsigned kPart>
  __device__ __forceinline__ void Store() {
    const TensorStore& store = args_.store;
    if (store.quads && store.bias == nullptr && output_ + S::kOutputs <= store.outputs) {
      StorePart<S, kPart, true>(store, sums_, row_, output_);
    } else {
      StorePart<S, kPart, false>(store, sums_, row_, output_);
    }
  }

  /// Queues the products of one step of a chain, if it has as many, and gives back the slot of the
  /// step before.
  __device__ __forceinline__ void Step(unsigned step, unsigned steps) {
    if (step >= steps) return;
    if (group_ > 0 && step == 0) ring_.Started(chain_).Wait(chain_ / 2 % 2);
    ring_.Full(at_.slot).Wait(at_.parity);
    const Shared slot = ring_.Slot(at_.slot);
    const uint32_t x = OperandAt(slot + group_ * kGroupRows * kStepInputs * 2);
    const uint32_t w = OperandAt(slot + S::kInputBytes);
    FenceSums();
#pragma unroll
    for (unsigned k = 0; k < kStepInputs / 16; ++k)
      MultiplySixteen(part_, x + k * kSixteenInputs, w + k * kSixteenInputs, step > 0 || k > 0);
    CommitProducts();
    if (step > 0) {
      WaitForProducts<1>();
      Release();
    }
    last_slot_ = at_.slot;
    at_.Advance();
    if (S::kGroups > 1 && group_ == 0 && threadIdx.x % kGroup == 0 && step == min(1u, steps - 1))
      ring_.Started(chain_).Arrive();
  }

  __device__ __forceinline__ void EndChain(bool first) {
    Release();
    ++chain_;
    if (first) {
#pragma unroll
      for (unsigned i = 0; i < S::kSums; ++i) sums_[i] = 0;
    }
#pragma unroll
    for (unsigned i = 0; i < S::kSums; ++i) AddInPlace(sums_[i], part_[i]);
  }

  /// Gives the slot of the last step back to every block that brings a part of it.
  __device__ __forceinline__ void Release() {
    const unsigned thread = threadIdx.x % kGroup;
    if constexpr (S::kBlocks == 1) {
      if (thread == 0) ring_.Free(last_slot_).Arrive();
    } else {
      if (thread < S::kBlocks) ring_.Free(last_slot_).ArriveAt(thread);
    }
  }

  const TilesArgs& args_;
  const Ring<S> ring_;
  const unsigned group_, rank_;
  Place<S> at_;
  unsigned last_slot_ = 0, chain_ = 0;
  unsigned row_ = 0, output_ = 0;
  float part_[S::kSums];
  float sums_[S::kSums];
};

template <typename S>
__global__ void __launch_bounds__(S::kThreads, 1)
    TilesKernel(const __grid_constant__ CUtensorMap x, const __grid_constant__ CUtensorMap weights,
                const __grid_constant__ TilesArgs args) {
  extern __shared__ std::byte memory[];
  const Ring<S> ring{AlignedShared(memory)};
  const unsigned rank = S::kBlocks == 1 ? 0 : ClusterRank();
  if (threadIdx.x == 0) ring.Init();
  __syncthreads();
  if constexpr (S::kBlocks > 1) ClusterSync();
  const unsigned group = threadIdx.x / kGroup;
  if (group == 0) {
    if constexpr (S::kGroups == 2) asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
    if (threadIdx.x < 32 && IsElected()) Produce<S>(args, x, weights, ring, rank);
    __syncwarp();
  } else {
    if constexpr (S::kGroups == 2) asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
    Consumer<S>(args, ring, group - 1, rank).Run();
  }
  // A block's memory and barriers stay until no other block of the cluster may touch them.
  if constexpr (S::kBlocks > 1) ClusterSync();
}

template <typename S>
void Launch(const TensorProductArgs& product) {
  TilesArgs args{};
  args.store = StoreOf(product);
  args.steps = static_cast<unsigned>(product.weights.input_tiles());
  args.chain_steps = static_cast<unsigned>(product.chain_inputs / kStepInputs);
  args.output_tiles = (args.store.outputs + S::kOutputs - 1) / S::kOutputs;
  args.row_tiles = (args.store.rows + S::kBlocks * S::kTileRows - 1) / (S::kBlocks * S::kTileRows);
  AllowSharedMemory<TilesKernel<S>>(S::kSharedBytes, "tensor tiles");
  const size_t clusters = std::min<size_t>(product.multiprocessors / S::kBlocks,
                                           size_t{args.output_tiles} * args.row_tiles);
  cudaLaunchConfig_t config{};
  config.gridDim = GridX(clusters * S::kBlocks);
  config.blockDim = S::kThreads;
  config.dynamicSmemBytes = S::kSharedBytes;
  config.stream = product.stream;
  cudaLaunchAttribute cluster{};
  cluster.id = cudaLaunchAttributeClusterDimension;
  cluster.val.clusterDim = {S::kBlocks, 1, 1};
  config.attrs = &cluster;
  config.numAttrs = 1;
  CheckCuda(cudaLaunchKernelEx(&config, TilesKernel<S>, BoxesOf(product.x, S::kTileRows),
                               BoxesOf(product.weights, S::kShareOutputs, S::kWeightTiles), args),
            "tensor tiles");
}

// Bound by the latency of memory in a product of few tiles: the deepest ring.
using Small = Shape<1, 64, 1, 13>;

}  // namespace

bool HasTensorCodeForDevice() {
  cudaFuncAttributes attributes{};
  const bool found = cudaFuncGetAttributes(&attributes, TilesKernel<Small>) == cudaSuccess;
  if (!found) cudaGetLastError();
  return found;
}

void LaunchTensorTiles(const TensorProductArgs& args, TensorTile tile) {
  switch (tile) {
    case TensorTile::k64x64:
      return Launch<Small>(args);
    case TensorTile::k128x64:
      return Launch<Shape<2, 64, 1, 8>>(args);
    case TensorTile::k128x128:
      return Launch<Shape<2, 128, 2, 6>>(args);
    case TensorTile::k128x192:
      return Launch<Shape<2, 192, 2, 5>>(args);
  }
}

}  // namespace statelib::kernels::cuda
