// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CUDA_ROW_CLUSTER_CUH_
#define STATELIB_KERNELS_CUDA_ROW_CLUSTER_CUH_

#include <cooperative_groups.h>

#include <cstdint>

/// A cluster of blocks that share a row of numbers: each holds a piece of it in shared memory, a
/// piece's warps hold their parts side by side, and what they ask about all of it is answered by
/// integer sums, which have no order.
namespace statelib::kernels::cuda {

inline constexpr unsigned kRowThreads = 1024, kRowWarps = kRowThreads / 32;
inline constexpr unsigned kRowBins = kRowThreads;

/// What the blocks of a cluster read of each other.
struct RowShared {
  uint64_t of_warps[kRowWarps];
  uint64_t exchanged[4];
  uint32_t bins[2][3][kRowBins];  // sums of 13 bits of amounts, from the lowest on
  uint64_t boundary_before, boundary_amount;
  uint32_t boundary_bin;
  uint32_t found;
};

class RowCluster {
 public:
  /// items: of the row. All threads of all blocks make one and call the same functions.
  __device__ __forceinline__ RowCluster(RowShared& shared, unsigned items)
      : shared_(shared), cluster_(cooperative_groups::this_cluster()) {
    const unsigned blocks = cluster_.num_blocks(), rank = cluster_.block_rank();
    const unsigned piece = PieceOf(items, blocks);
    begin_ = min(rank * piece, items);
    end_ = min(begin_ + piece, items);
    const unsigned part = piece / kRowWarps;  // of a warp
    first_ = begin_ + threadIdx.x / 32 * part + threadIdx.x % 32;
    last_ = min(begin_ + (threadIdx.x / 32 + 1) * part, end_);
  }

  /// Items of a block: whole rows of 32 for each of its warps.
  static __host__ __device__ unsigned PieceOf(unsigned items, unsigned blocks) {
    constexpr unsigned kStep = kRowWarps * 32;
    return ((items + blocks - 1) / blocks + kStep - 1) / kStep * kStep;
  }

  __device__ unsigned begin() const { return begin_; }  ///< of this block's items
  __device__ unsigned end() const { return end_; }
  __device__ unsigned rank() const { return cluster_.block_rank(); }
  __device__ void Sync() { cluster_.sync(); }

  /// Calls with every item of this thread.
  template <typename Use>
  __device__ __forceinline__ void Each(const Use& use) const {
    for (unsigned i = first_; i < last_; i += 32) use(i);
  }

  __device__ __forceinline__ uint64_t Sum(uint64_t value) {
    return Reduce(value, [](uint64_t a, uint64_t b) { return a + b; });
  }
  __device__ __forceinline__ uint64_t Largest(uint64_t value) {
    return Reduce(value, [](uint64_t a, uint64_t b) { return a > b ? a : b; });
  }

  /// The first item with which the sum of the amounts, in the order of items, exceeds
  /// to_exceed(sum of all), which is less than the sum of all.
  template <typename Amount, typename ToExceed>
  __device__ __forceinline__ unsigned Find(const Amount& amount, const ToExceed& to_exceed) {
    uint64_t own = 0;
    Each([&](unsigned i) { own += amount(i); });
    const auto add = [](uint64_t a, uint64_t b) { return a + b; };
    const unsigned slot = Exchange(own, add);
    uint64_t before = 0, total = 0, mine = 0;
    for (unsigned block = 0; block < cluster_.num_blocks(); ++block) {
      const uint64_t of_block = *cluster_.map_shared_rank(&shared_.exchanged[slot], block);
      if (block < rank()) before += of_block;
      if (block == rank()) mine = of_block;
      total += of_block;
    }
    const uint64_t target = to_exceed(total);
    if (before <= target && target - before < mine) FindInBlock(amount, target - before);
    cluster_.sync();
    return shared_.found;
  }

  /// Where the amounts of items, from the largest key on, reach `target`.
  struct Boundary {
    uint32_t key;     ///< the least key that is needed
    bool is_whole;    ///< all items of that key are; else:
    uint64_t before;  ///< the sum of the amounts of larger keys
  };
  /// for_each(use) calls use(key, amount) with those of this thread's items that count; keys are
  /// from low to high, amounts up to 2^38, and all of them together reach the target.
  template <typename ForEach>
  __device__ __forceinline__ Boundary Reach(uint64_t target, uint32_t low, uint32_t high,
                                            const ForEach& for_each) {
    uint64_t before = 0;
    for (unsigned pass = 0; low < high; ++pass) {
      const unsigned bits = 32 - __clz(high - low), shift = bits > 10 ? bits - 10 : 0;
      FillBins(pass % 2, low, high, shift, for_each);
      cluster_.sync();
      FindBoundary(pass % 2, target - before);
      const uint32_t bin_low = low + (shared_.boundary_bin << shift);
      high = min(high, bin_low + ((1u << shift) - 1));
      low = bin_low;
      before += shared_.boundary_before;
      if (target - before == shared_.boundary_amount) return {low, true, before};
    }
    return {low, false, before};
  }

 private:
  template <typename Combine>
  static __device__ __forceinline__ uint64_t ReduceWarp(uint64_t value, const Combine& combine) {
#pragma unroll
    for (unsigned step = 16; step > 0; step /= 2)
      value = combine(value, __shfl_xor_sync(0xffffffff, value, step));
    return value;
  }
  /// Tells the other blocks this one's value, and waits for theirs. Returns where they are.
  template <typename Combine>
  __device__ __forceinline__ unsigned Exchange(uint64_t value, const Combine& combine) {
    const unsigned slot = next_slot_++ % 4;
    value = ReduceWarp(value, combine);
    if (threadIdx.x % 32 == 0) shared_.of_warps[threadIdx.x / 32] = value;
    __syncthreads();
    if (threadIdx.x < 32) {
      static_assert(kRowWarps == 32);
      value = ReduceWarp(shared_.of_warps[threadIdx.x], combine);
      if (threadIdx.x == 0) shared_.exchanged[slot] = value;
    }
    cluster_.sync();
    return slot;
  }
  template <typename Combine>
  __device__ __forceinline__ uint64_t Reduce(uint64_t value, const Combine& combine) {
    const unsigned slot = Exchange(value, combine);
    uint64_t all = *cluster_.map_shared_rank(&shared_.exchanged[slot], 0);
    for (unsigned block = 1; block < cluster_.num_blocks(); ++block)
      all = combine(all, *cluster_.map_shared_rank(&shared_.exchanged[slot], block));
    return all;
  }

  /// Sums of lanes 0 to this one.
  static __device__ __forceinline__ uint64_t ScanWarp(uint64_t value) {
#pragma unroll
    for (unsigned step = 1; step < 32; step *= 2) {
      const uint64_t left = __shfl_up_sync(0xffffffff, value, step);
      if (threadIdx.x % 32 >= step) value += left;
    }
    return value;
  }

  template <typename Amount>
  __device__ __forceinline__ void FindInBlock(const Amount& amount, uint64_t target) {
    const unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    uint64_t sum = 0;
    for (unsigned i = 0; i < warp; ++i) sum += shared_.of_warps[i];
    if (sum > target || target - sum >= shared_.of_warps[warp]) return;
    for (unsigned i = first_ - lane;; i += 32) {
      const uint64_t up_to = sum + ScanWarp(i + lane < last_ ? amount(i + lane) : 0);
      const unsigned beyond = __ballot_sync(0xffffffff, up_to > target);
      if (beyond != 0) {
        if (lane < cluster_.num_blocks())
          *cluster_.map_shared_rank(&shared_.found, lane) = i + __ffs(beyond) - 1;
        return;
      }
      sum = __shfl_sync(0xffffffff, up_to, 31);
    }
  }

  template <typename ForEach>
  __device__ __forceinline__ void FillBins(unsigned buffer, uint32_t low, uint32_t high,
                                           unsigned shift, const ForEach& for_each) {
    uint32_t(&bins)[3][kRowBins] = shared_.bins[buffer];
    for (unsigned part = 0; part < 3; ++part) bins[part][threadIdx.x] = 0;
    __syncthreads();
    for_each([&](uint32_t key, uint64_t amount) {
      if (key < low || key > high) return;
      const unsigned bin = (key - low) >> shift;
      for (unsigned part = 0; part < 3; ++part) {
        const auto bits = static_cast<uint32_t>(amount >> (13 * part)) & (part < 2 ? 0x1fff : ~0u);
        if (bits != 0) atomicAdd(&bins[part][bin], bits);
      }
    });
  }

  /// Of all blocks' bins, from the last one on, that with which their sum reaches the target.
  __device__ __forceinline__ void FindBoundary(unsigned buffer, uint64_t target) {
    const unsigned bin = kRowBins - 1 - threadIdx.x, warp = threadIdx.x / 32;
    uint64_t amount = 0;
    for (unsigned block = 0; block < cluster_.num_blocks(); ++block) {
      const RowShared& other = *cluster_.map_shared_rank(&shared_, block);
      for (unsigned part = 0; part < 3; ++part)
        amount += uint64_t{other.bins[buffer][part][bin]} << (13 * part);
    }
    uint64_t up_to = ScanWarp(amount);
    if (threadIdx.x % 32 == 31) shared_.of_warps[warp] = up_to;
    __syncthreads();
    for (unsigned i = 0; i < warp; ++i) up_to += shared_.of_warps[i];
    if (up_to >= target && up_to - amount < target) {
      shared_.boundary_bin = bin;
      shared_.boundary_before = up_to - amount;
      shared_.boundary_amount = amount;
    }
    __syncthreads();
  }

  RowShared& shared_;
  cooperative_groups::cluster_group cluster_;
  unsigned begin_, end_, first_, last_;
  unsigned next_slot_ = 0;
};

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_KERNELS_CUDA_ROW_CLUSTER_CUH_
