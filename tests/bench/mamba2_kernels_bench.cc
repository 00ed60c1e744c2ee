// SPDX-License-Identifier: Apache-2.0
// Mamba-2's scan over bf16 rows at the sizes of 130m, 1.3b, 2.7b and of eight groups, each beside
// the card's limits: the bytes that must pass at the rate of a large copy, and the products at
// 4,096 operations a cycle and multiprocessor at the card's highest clock. Calls are queued as a
// CUDA graph; medians. Run: statelib_mamba2_bench [80x1x16384 ...], by heads x sequences x rows
#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/cuda/mamba2_chunk_scan.h"
#include "tests/bench/cuda_timing.h"

namespace statelib::kernels::cuda {
namespace {

constexpr size_t kWidth = 64, kStates = 128;

/// The scan of one layer over `sequences` sequences of `rows` rows each that stand at `position`.
class Scan {
 public:
  Scan(Mamba2ChunkShape shape, size_t sequences, size_t rows, uint64_t position)
      : shape_(shape),
        sequences_(sequences),
        rows_(rows),
        position_(position),
        xz_(Random(tokens() * channels() * 2, 1)),
        bc_(Random(tokens() * groups_width() * 2, 2)),
        y_(AllocateDevice(tokens() * channels() * 2)),
        dt_(Uniform(tokens() * shape.heads, -1, 1)),
        bias_(Uniform(shape.heads, -5, -2)),
        a_(Uniform(shape.heads, -16, -1)),
        d_(Uniform(channels(), -1, 1)),
        workspace_(AllocateDevice(shape.WorkspaceBytes(tokens(), sequences))),
        counters_(AllocateDevice(sequences * shape.groups * 4)),
        copies_(std::clamp<size_t>(kBeyondCaches / (shape.StateBytes() * sequences), 1, 256)),
        states_(Uniform(copies_ * sequences * shape.StateBytes() / 4, -1, 1)) {
    CheckCuda(cudaMemset(counters_.get(), 0, sequences * shape.groups * 4), "zero");
    std::vector<ChunkedSequence> table;
    for (size_t i = 0; i < copies_ * sequences; ++i) {
      table.push_back({static_cast<uint32_t>(i % sequences * rows), static_cast<uint32_t>(rows),
                       position, states_.get() + i * shape.StateBytes()});
    }
    table_ = AllocateDevice(table.size() * sizeof(ChunkedSequence));
    CheckCuda(cudaMemcpy(table_.get(), table.data(), table.size() * sizeof(ChunkedSequence),
                         cudaMemcpyHostToDevice),
              "upload");
  }

  Call By(Mamba2Kernel kernel) const {
    return [this, kernel](size_t i) {
      const uint16_t *xz = Halves(xz_), *bc = Halves(bc_);
      const Mamba2ChunkScanArgs args{
          {xz + channels(), channels() * 2},
          {xz, channels() * 2},
          {Floats(dt_), shape_.heads},
          {bc, groups_width() * 2},
          {bc + groups_width(), groups_width() * 2},
          Floats(bias_),
          Floats(a_),
          Floats(d_),
          0,
          3e38f,
          shape_,
          tokens(),
          reinterpret_cast<const ChunkedSequence*>(table_.get()) + i % copies_ * sequences_,
          sequences_,
          rows_,
          {Halves(y_), channels()},
          workspace_.get(),
          reinterpret_cast<uint32_t*>(counters_.get()),
          Stream()};
      LaunchMamba2ChunkScan(args, kernel);
      return true;
    };
  }

  /// All that the kernel for these rows must move.
  double bytes() const {
    const size_t of_rows = tokens() * (channels() * 6 + groups_width() * 4 + shape_.heads * 4);
    const size_t held =
        position_ % kChunkTokens * (channels() * 2 + groups_width() * 2 + shape_.heads * 8);
    const size_t passes = position_ % kChunkTokens + rows_ >= kChunkTokens ? 2 : 1;
    return static_cast<double>(of_rows + sequences_ * (held + passes * shape_.XOffset()));
  }
  /// What a scan moves that reads and writes its states.
  double plain_bytes() const { return static_cast<double>(2 * sequences_ * shape_.XOffset()); }
  double operations() const {
    const double of_head = kWidth * (3.0 * kStates + 40), of_group = 40.0 * kStates;
    return 2 * static_cast<double>(tokens()) *
           (static_cast<double>(shape_.heads) * of_head +
            static_cast<double>(shape_.groups) * of_group);
  }

 private:
  size_t tokens() const { return sequences_ * rows_; }
  size_t channels() const { return shape_.heads * kWidth; }
  size_t groups_width() const { return shape_.groups * kStates; }

  Mamba2ChunkShape shape_;
  size_t sequences_, rows_;
  uint64_t position_;
  DeviceBytes xz_, bc_, y_, dt_, bias_, a_, d_, workspace_, counters_;
  size_t copies_;
  DeviceBytes states_, table_;
};

struct Size {
  size_t sequences, rows;
};

template <typename IsAsked>
void RunRows(const Limits& limits, const IsAsked& is_asked) {
  fmt::print("\n{:>6} {:>7} {:>9} {:>6} {:>10} {:>10} {:>12} {:>10}\n", "heads", "groups",
             "sequences", "rows", "rows us", "few rows", "tensor floor", "byte floor");
  for (const auto& [heads, groups] :
       {std::pair<size_t, size_t>{24, 1}, {64, 1}, {80, 1}, {128, 8}}) {
    for (const Size size :
         {Size{1, 4}, {1, 8}, {1, 16}, {64, 4}, {1, 256}, {1, 2048}, {1, 16384}, {16, 1024}}) {
      if (!is_asked(fmt::format("{}x{}x{}", heads, size.sequences, size.rows))) continue;
      const Scan scan({heads, kWidth, kStates, groups}, size.sequences, size.rows, 0);
      std::vector<Call> calls{scan.By(Mamba2Kernel::kRows)};
      if (size.rows <= 16) calls.push_back(scan.By(Mamba2Kernel::kFewRows));
      const std::vector<double> s = SecondsOf(calls);
      fmt::print("{:>6} {:>7} {:>9} {:>6} {:>10.2f} {:>10.2f} {:>12.2f} {:>10.2f}\n", heads, groups,
                 size.sequences, size.rows, s[0] * 1e6, s.size() > 1 ? s[1] * 1e6 : 0.0,
                 scan.operations() / limits.tensor_operations * 1e6,
                 scan.bytes() / limits.copy_bytes * 1e6);
      std::fflush(stdout);
    }
  }
}

/// One row of every sequence: at the beginning, in the middle and at the end of a chunk.
template <typename IsAsked>
void RunDecode(const Limits& limits, const IsAsked& is_asked) {
  fmt::print("\n{:>6} {:>7} {:>9} {:>9} {:>9} {:>9} {:>10} {:>15}\n", "heads", "groups",
             "sequences", "first us", "33rd us", "last us", "byte floor", "states r+w");
  for (const auto& [heads, groups] :
       {std::pair<size_t, size_t>{24, 1}, {64, 1}, {80, 1}, {128, 8}}) {
    for (const size_t sequences : {1, 8, 32, 64, 96}) {
      if (!is_asked(fmt::format("{}x{}x1", heads, sequences))) continue;
      const Mamba2ChunkShape shape{heads, kWidth, kStates, groups};
      const Scan first(shape, sequences, 1, 0), middle(shape, sequences, 1, 32),
          last(shape, sequences, 1, 63);
      const std::vector<double> s =
          SecondsOf({first.By(Mamba2Kernel::kFewRows), middle.By(Mamba2Kernel::kFewRows),
                     last.By(Mamba2Kernel::kFewRows)});
      fmt::print("{:>6} {:>7} {:>9} {:>9.2f} {:>9.2f} {:>9.2f} {:>10.2f} {:>15.2f}\n", heads,
                 groups, sequences, s[0] * 1e6, s[1] * 1e6, s[2] * 1e6,
                 middle.bytes() / limits.copy_bytes * 1e6,
                 middle.plain_bytes() / limits.copy_bytes * 1e6);
      std::fflush(stdout);
    }
  }
}

int Main(int argc, char** argv) {
  cudaDeviceProp card{};
  CheckCuda(cudaGetDeviceProperties(&card, 0), "device");
  const Limits limits = Measure();
  fmt::print("{}: copy {:.2f} TB/s, tensor cores {:.0f} TFLOP/s\n", card.name,
             limits.copy_bytes / 1e12, limits.tensor_operations / 1e12);
  const auto is_asked = [&](const std::string& name) {
    return argc == 1 || std::find(argv + 1, argv + argc, name) != argv + argc;
  };
  RunDecode(limits, is_asked);
  RunRows(limits, is_asked);
  return 0;
}

}  // namespace
}  // namespace statelib::kernels::cuda

int main(int argc, char** argv) { return statelib::kernels::cuda::Main(argc, argv); }
