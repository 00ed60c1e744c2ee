// SPDX-License-Identifier: Apache-2.0
// The kernels between the products of a layer over bf16 rows, at the sizes of Mamba's 130m, 1.4b
// and 2.8b, each beside the card's limits: the bytes that must pass at the rate of a large copy,
// and the exponentials at 16 a cycle and multiprocessor at the card's highest clock. Calls are
// queued as a CUDA graph; medians. Run:
// statelib_mamba_bench [conv_norm] [5120x1x16384 ...], the scan by d_inner x sequences x rows
#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/cuda/bf16_causal_conv.h"
#include "kernels/cuda/bf16_rms_norm.h"
#include "kernels/cuda/mamba1_scan.h"
#include "tests/bench/cuda_timing.h"

namespace statelib::kernels::cuda {
namespace {

constexpr size_t kStates = 16;

/// Mamba-1's scan of one layer over `sequences` sequences of `rows` rows each.
class Scan {
 public:
  Scan(size_t channels, size_t sequences, size_t rows, size_t multiprocessors)
      : channels_(channels),
        sequences_(sequences),
        rows_(rows),
        multiprocessors_(multiprocessors),
        xz_(Random(sequences * rows * channels * 2, 1)),
        bc_(Random(sequences * rows * kStates * 2, 2)),
        y_(AllocateDevice(sequences * rows * channels * 2)),
        dt_(Uniform(sequences * rows * channels, 0.001f, 0.1f)),
        bias_(Uniform(channels, -5, -2)),
        a_(Uniform(channels * kStates, -16, -1)),
        d_(Uniform(channels, -1, 1)),
        copies_(std::clamp<size_t>(kBeyondCaches / (channels * kStates * 4 * sequences), 1, 256)),
        states_(AllocateDevice(copies_ * sequences * channels * kStates * 4)) {
    CheckCuda(cudaMemset(states_.get(), 0, copies_ * sequences * channels * kStates * 4), "zero");
    std::vector<DeviceSequence> table;
    for (size_t i = 0; i < copies_ * sequences; ++i) {
      table.push_back({static_cast<uint32_t>(i % sequences * rows), static_cast<uint32_t>(rows),
                       reinterpret_cast<float*>(states_.get()) + i * channels * kStates});
    }
    table_ = AllocateDevice(table.size() * sizeof(DeviceSequence));
    CheckCuda(cudaMemcpy(table_.get(), table.data(), table.size() * sizeof(DeviceSequence),
                         cudaMemcpyHostToDevice),
              "upload");
  }

  Call By(Mamba1Kernel kernel, bool with_softplus) const {
    return [this, kernel, with_softplus](size_t i) {
      const uint16_t *xz = Halves(xz_), *bc = Halves(bc_);
      const Mamba1ScanArgs args{
          {xz, channels_ * 2},
          {xz + channels_, channels_ * 2},
          {Floats(dt_), channels_},
          {bc, kStates * 2},
          {bc + kStates, kStates * 2},
          with_softplus ? Floats(bias_) : nullptr,
          Floats(a_),
          Floats(d_),
          sequences_ * rows_,
          channels_,
          kStates,
          reinterpret_cast<const DeviceSequence*>(table_.get()) + i % copies_ * sequences_,
          sequences_,
          rows_,
          {Halves(y_), channels_},
          multiprocessors_,
          Stream()};
      LaunchMamba1Scan(args, kernel);
      return true;
    };
  }

  double exponentials() const { return static_cast<double>(tokens() * (kStates + 2)); }
  double bytes() const {
    return static_cast<double>(tokens() * 10 + sequences_ * rows_ * kStates * 4 +
                               sequences_ * channels_ * kStates * 8);
  }

 private:
  size_t tokens() const { return sequences_ * rows_ * channels_; }

  size_t channels_, sequences_, rows_, multiprocessors_;
  DeviceBytes xz_, bc_, y_, dt_, bias_, a_, d_;
  size_t copies_;
  DeviceBytes states_, table_;
};

template <typename IsAsked>
void RunScan(const Limits& limits, const IsAsked& is_asked) {
  fmt::print("\nMamba-1 scan, 16 states\n{:>8} {:>9} {:>6} {:>10} {:>10} {:>10} {:>9} {:>9}\n",
             "d_inner", "sequences", "rows", "rows us", "+ softplus", "few rows", "exp floor",
             "byte floor");
  struct Size {
    size_t sequences, rows;
  };
  for (const size_t channels : {1536, 4096, 5120}) {
    for (const Size size : {Size{1, 1},
                            {1, 4},
                            {1, 16},
                            {64, 1},
                            {256, 1},
                            {64, 4},
                            {1, 256},
                            {1, 2048},
                            {1, 16384},
                            {16, 1024}}) {
      if (!is_asked(fmt::format("{}x{}x{}", channels, size.sequences, size.rows))) continue;
      const Scan scan(channels, size.sequences, size.rows, limits.multiprocessors);
      std::vector<Call> calls{scan.By(Mamba1Kernel::kRows, false),
                              scan.By(Mamba1Kernel::kRows, true)};
      if (size.rows <= 16) calls.push_back(scan.By(Mamba1Kernel::kFewRows, false));
      const std::vector<double> s = SecondsOf(calls);
      fmt::print("{:>8} {:>9} {:>6} {:>10.2f} {:>10.2f} {:>10.2f} {:>9.2f} {:>9.2f}\n", channels,
                 size.sequences, size.rows, s[0] * 1e6, s[1] * 1e6, s.size() > 2 ? s[2] * 1e6 : 0.0,
                 scan.exponentials() / limits.exponentials * 1e6,
                 scan.bytes() / limits.copy_bytes * 1e6);
      std::fflush(stdout);
    }
  }
}

/// Convolution over the left half of in_proj's rows, and the norm before in_proj.
template <typename IsAsked>
void RunConvAndNorm(const Limits& limits, const IsAsked& is_asked) {
  if (!is_asked("conv_norm")) return;
  fmt::print("\n{:>8} {:>9} {:>6} {:>10} {:>10} {:>10} {:>10}\n", "d_inner", "sequences", "rows",
             "conv us", "byte floor", "norm us", "byte floor");
  for (const size_t channels : {1536, 5120}) {
    for (const auto& [sequences, rows] :
         {std::pair<size_t, size_t>{1, 1}, {64, 1}, {256, 1}, {1, 2048}, {1, 16384}, {16, 1024}}) {
      const size_t all = sequences * rows, columns = channels / 2;
      const DeviceBytes xz = Random(all * channels * 2, 1),
                        out = AllocateDevice(all * channels * 2),
                        weight = Uniform(4 * channels, -1, 1), bias = Uniform(channels, -1, 1),
                        states = Uniform(sequences * 3 * channels, -1, 1),
                        residual = Uniform(all * columns, -1, 1);
      std::vector<DeviceSequence> table;
      for (size_t i = 0; i < sequences; ++i) {
        table.push_back({static_cast<uint32_t>(i * rows), static_cast<uint32_t>(rows),
                         reinterpret_cast<float*>(states.get()) + i * 3 * channels});
      }
      const DeviceBytes on_device = AllocateDevice(table.size() * sizeof(DeviceSequence));
      CheckCuda(cudaMemcpy(on_device.get(), table.data(), table.size() * sizeof(DeviceSequence),
                           cudaMemcpyHostToDevice),
                "upload");
      const std::vector<double> s = SecondsOf(
          {[&](size_t) {
             LaunchBF16CausalConv({{Halves(xz), channels * 2},
                                   Floats(weight),
                                   Floats(bias),
                                   channels,
                                   4,
                                   reinterpret_cast<const DeviceSequence*>(on_device.get()),
                                   sequences,
                                   rows,
                                   {Halves(out), channels},
                                   Stream()});
             return true;
           },
           [&](size_t) {
             LaunchBF16RmsNorm({{Floats(residual), columns},
                                Floats(weight),
                                1e-5f,
                                all,
                                columns,
                                {Halves(out), columns},
                                Stream()});
             return true;
           }});
      const auto conv_bytes = static_cast<double>(all * channels * 4 + sequences * channels * 24);
      const auto norm_bytes = static_cast<double>(all * columns * 6);
      fmt::print("{:>8} {:>9} {:>6} {:>10.2f} {:>10.2f} {:>10.2f} {:>10.2f}\n", channels, sequences,
                 rows, s[0] * 1e6, conv_bytes / limits.copy_bytes * 1e6, s[1] * 1e6,
                 norm_bytes / limits.copy_bytes * 1e6);
    }
  }
}

int Main(int argc, char** argv) {
  cudaDeviceProp card{};
  CheckCuda(cudaGetDeviceProperties(&card, 0), "device");
  const Limits limits = Measure();
  fmt::print("{}: copy {:.2f} TB/s, {:.2f} T exponentials/s\n", card.name, limits.copy_bytes / 1e12,
             limits.exponentials / 1e12);
  const auto is_asked = [&](const std::string& name) {
    return argc == 1 || std::find(argv + 1, argv + argc, name) != argv + argc;
  };
  RunConvAndNorm(limits, is_asked);
  RunScan(limits, is_asked);
  return 0;
}

}  // namespace
}  // namespace statelib::kernels::cuda

int main(int argc, char** argv) { return statelib::kernels::cuda::Main(argc, argv); }
