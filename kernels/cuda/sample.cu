// SPDX-License-Identifier: Apache-2.0
// The choice of a token (kernels/sampling.h). A cluster of one to eight blocks takes a row, which
// they hold in shared memory after penalties, biases and mask. Nothing is sorted: where top-k and
// top-p cut is found by histograms of keys, integers that are ordered as the logits are. Traffic: a
// row read once, again for log-probabilities.
#include "kernels/cuda/row_cluster.cuh"
#include "kernels/cuda/sample.h"
#include "kernels/exact/sample_math.h"

namespace statelib::kernels::cuda {

namespace {

constexpr uint32_t kNoKey = 0;            // of what is no number
constexpr uint32_t kLowestKey = 1;        // at most that of any number
constexpr unsigned kPieceMax = 48 << 10;  // items of a block

/// Increases with x; the same for both zeros.
__device__ __forceinline__ uint32_t KeyOf(float x) {
  if (x != x) return kNoKey;
  const uint32_t bits = __float_as_uint(__fadd_rn(x, 0.0f));
  return bits >> 31 != 0 ? ~bits : bits | 0x80000000u;
}
__device__ __forceinline__ float OfKey(uint32_t key) {
  return __uint_as_float(key >> 31 != 0 ? key & 0x7fffffffu : ~key);
}

class RowChoice {
 public:
  __device__ __forceinline__ RowChoice(const SampleKernelArgs& args, RowShared& shared,
                                       float* piece, unsigned row)
      : args_(args),
        row_(args.rows[row]),
        result_(args.results[row]),
        logits_(args.logits + row * args.stride),
        x_(piece),
        cluster_(shared, args.tokens) {}

  __device__ __forceinline__ void Run() {
    Read();
    Adjust();
    const uint64_t likeliest = Likeliest();
    int32_t id = likeliest == 0 ? -1 : IdOf(likeliest);
    largest_ = OfKey(static_cast<uint32_t>(likeliest >> 32));
    if (id >= 0 && row_.temperature != 0 && row_.top_k != 1) id = Draw();
    DeviceSampleResult found{id, 0, 0, 0, 0};
    if (id >= 0 && row_.wants_log != 0) AddLogProbabilities(found);
    if (cluster_.rank() == 0 && threadIdx.x == 0) result_ = found;
    cluster_.Sync();  // others may read this block's memory until here
  }

 private:
  __device__ float& X(unsigned id) const { return x_[id - cluster_.begin()]; }

  __device__ __forceinline__ void Read() {
    cluster_.Each([&](unsigned i) { X(i) = logits_[i]; });
    __syncthreads();
  }

  /// Steps 1 to 3 of the contract.
  __device__ __forceinline__ void Adjust() {
    const auto is_own = [&](int32_t id) {
      return id >= 0 && static_cast<unsigned>(id) >= cluster_.begin() &&
             static_cast<unsigned>(id) < cluster_.end();
    };
    for (unsigned i = row_.seen_begin + threadIdx.x; i < row_.seen_end; i += kRowThreads) {
      const SeenToken seen = args_.seen[i];
      if (!is_own(seen.id)) continue;
      float& x = X(static_cast<unsigned>(seen.id));
      x = x > 0 ? x / row_.repetition_penalty : x * row_.repetition_penalty;
      if (seen.in_answer == 0) continue;
      x -= row_.presence_penalty + row_.frequency_penalty * static_cast<float>(seen.in_answer);
    }
    __syncthreads();
    for (unsigned i = row_.bias_begin + threadIdx.x; i < row_.bias_end; i += kRowThreads) {
      const TokenBias bias = args_.biases[i];
      if (is_own(bias.id)) X(static_cast<unsigned>(bias.id)) += bias.value;
    }
    __syncthreads();
    if (row_.is_masked == 0) return;
    const uint32_t* const allowed = args_.allowed + row_.allowed_begin;
    cluster_.Each([&](unsigned i) {
      if ((allowed[i / 32] >> i % 32 & 1) == 0) X(i) = __uint_as_float(0x7fc00000);
    });
  }

  /// Key and id of the likeliest token as one number; 0: there is none.
  __device__ __forceinline__ uint64_t Likeliest() {
    uint64_t best = 0;
    cluster_.Each([&](unsigned i) {
      const uint32_t key = KeyOf(X(i));
      const uint64_t order = uint64_t{key} << 32 | ~i;
      if (key != kNoKey && order > best) best = order;
    });
    return cluster_.Largest(best);
  }
  static __device__ int32_t IdOf(uint64_t order) {
    return static_cast<int32_t>(~static_cast<uint32_t>(order));
  }

  __device__ __forceinline__ bool IsKept(unsigned id, uint32_t key) const {
    return key > least_key_ || (key == least_key_ && id <= last_of_least_);
  }
  __device__ __forceinline__ uint64_t Weight(float x) const {
    return exact::WeightOf(exact::RelativeProbability(x, largest_, inverse_));
  }

  /// Keeps the fewest likeliest of the kept tokens whose amounts reach `target`, which all of them
  /// do. Equal tokens have equal amounts.
  template <typename Amount>
  __device__ __forceinline__ void Keep(uint64_t target, const Amount& amount) {
    const RowCluster::Boundary boundary =
        cluster_.Reach(target, max(least_key_, kLowestKey), KeyOf(largest_), [&](const auto& use) {
          cluster_.Each([&](unsigned i) {
            const uint32_t key = KeyOf(X(i));
            if (key != kNoKey && IsKept(i, key)) use(key, amount(X(i)));
          });
        });
    unsigned last = last_of_least_;
    if (!boundary.is_whole) {
      const uint64_t of_each = amount(OfKey(boundary.key));
      const uint64_t count = (target - boundary.before + of_each - 1) / of_each;
      last = cluster_.Find(
          [&](unsigned i) { return KeyOf(X(i)) == boundary.key ? uint64_t{1} : uint64_t{0}; },
          [&](uint64_t) { return count - 1; });
    } else if (boundary.key != least_key_) {
      last = UINT32_MAX;
    }
    least_key_ = boundary.key;
    last_of_least_ = last;
  }

  /// Keeps the `count` likeliest tokens, if there are more.
  __device__ __forceinline__ void KeepCount(uint32_t count) {
    uint64_t numbers = 0;
    cluster_.Each([&](unsigned i) { numbers += KeyOf(X(i)) != kNoKey ? 1 : 0; });
    if (count < cluster_.Sum(numbers)) Keep(count, [](float) { return uint64_t{1}; });
  }

  /// Steps 4 to 8.
  __device__ __forceinline__ int32_t Draw() {
    inverse_ = 1.0f / row_.temperature;
    if (row_.top_k > 0) KeepCount(row_.top_k);
    if (row_.top_p < 1) {
      uint64_t total = 0;
      cluster_.Each([&](unsigned i) { total += KeptWeight(i); });
      Keep(exact::WeightToReach(row_.top_p, cluster_.Sum(total)),
           [&](float x) { return Weight(x); });
    }
    const unsigned id = cluster_.Find(
        [&](unsigned i) {
          const uint64_t weight = KeptWeight(i);
          return weight < row_.least_weight ? 0 : weight;
        },
        [&](uint64_t total) { return exact::WeightToExceed(row_.seed, row_.position, total); });
    return static_cast<int32_t>(id);
  }
  __device__ __forceinline__ uint64_t KeptWeight(unsigned id) const {
    const float x = X(id);
    const uint32_t key = KeyOf(x);
    return key != kNoKey && IsKept(id, key) ? Weight(x) : 0;
  }

  /// What log-probabilities are made of: of the logits as they come.
  __device__ __forceinline__ void AddLogProbabilities(DeviceSampleResult& found) {
    __syncthreads();
    Read();
    largest_ = found.largest = OfKey(static_cast<uint32_t>(Likeliest() >> 32));
    inverse_ = 1.0f;
    least_key_ = kLowestKey, last_of_least_ = UINT32_MAX;
    uint64_t total = 0;
    cluster_.Each([&](unsigned i) { total += KeptWeight(i); });
    found.total = cluster_.Sum(total);
    found.logit = logits_[found.id];
    if (row_.best_count == 0) return;
    KeepCount(row_.best_count);
    if (cluster_.rank() == 0 && threadIdx.x == 0) result_.best_count = 0;
    cluster_.Sync();
    cluster_.Each([&](unsigned i) {
      const float x = X(i);
      const uint32_t key = KeyOf(x);
      if (key != kNoKey && IsKept(i, key)) {
        args_.best[row_.best_begin + atomicAdd(&result_.best_count, 1)] = {static_cast<int32_t>(i),
                                                                           x};
      }
    });
    cluster_.Sync();
    found.best_count = *static_cast<volatile uint32_t*>(&result_.best_count);
  }

  const SampleKernelArgs& args_;
  const DeviceSampleRow& row_;
  DeviceSampleResult& result_;
  const float* const logits_;
  float* const x_;
  RowCluster cluster_;
  float largest_ = 0, inverse_ = 1;
  // Kept are larger keys, and of this one the tokens up to this id.
  uint32_t least_key_ = kLowestKey;
  unsigned last_of_least_ = UINT32_MAX;
};

__global__ void __launch_bounds__(kRowThreads)
    SampleKernel(const __grid_constant__ SampleKernelArgs args) {
  extern __shared__ float piece[];
  __shared__ RowShared shared;
  RowChoice(args, shared, piece, blockIdx.y).Run();
}

/// Blocks of a row: as many as can run at once, and no fewer than its piece of memory allows.
unsigned BlocksOfRow(const SampleKernelArgs& args, size_t multiprocessors) {
  constexpr unsigned kMost = 8;
  unsigned blocks = kMost;
  while (blocks > 1 && size_t{blocks} * args.row_count > multiprocessors &&
         RowCluster::PieceOf(args.tokens, blocks / 2) <= kPieceMax)
    blocks /= 2;
  return blocks;
}

}  // namespace

void LaunchSample(const SampleKernelArgs& args, size_t multiprocessors, cudaStream_t stream) {
  AllowSharedMemory<SampleKernel>(kPieceMax * sizeof(float), "sample");
  const unsigned blocks = BlocksOfRow(args, multiprocessors);
  cudaLaunchAttribute cluster{};
  cluster.id = cudaLaunchAttributeClusterDimension;
  cluster.val.clusterDim = {blocks, 1, 1};
  cudaLaunchConfig_t config{};
  config.blockDim = {kRowThreads, 1, 1};
  config.dynamicSmemBytes = RowCluster::PieceOf(args.tokens, blocks) * sizeof(float);
  config.stream = stream;
  config.attrs = &cluster;
  config.numAttrs = 1;
  constexpr unsigned kRowsMax = 65535;
  for (unsigned first = 0; first < args.row_count; first += kRowsMax) {
    SampleKernelArgs some = args;
    some.logits += first * args.stride;
    some.rows += first;
    some.results += first;
    some.row_count = min(args.row_count - first, kRowsMax);
    config.gridDim = {blocks, some.row_count, 1};
    CheckCuda(cudaLaunchKernelEx(&config, SampleKernel, some), "sample");
  }
}

}  // namespace statelib::kernels::cuda
