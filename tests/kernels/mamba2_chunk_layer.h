// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_KERNELS_MAMBA2_CHUNK_LAYER_H_
#define STATELIB_TESTS_KERNELS_MAMBA2_CHUNK_LAYER_H_

#include <algorithm>
#include <optional>
#include <vector>

#include "kernels/cuda/device.h"
#include "kernels/cuda/mamba2_chunk_scan.h"
#include "tests/kernels/device_values.h"

/// A layer of Mamba-2 with rows of activations, and its scan on the device.
namespace statelib::kernels::cuda {

/// One kernel, or the choice of the launch.
using By = std::optional<Mamba2Kernel>;
constexpr By kKernels[] = {Mamba2Kernel::kRows, Mamba2Kernel::kFewRows, std::nullopt};
constexpr size_t kAll = SIZE_MAX;
constexpr uint16_t kUnwritten = 0x7fc1;

/// On the host. B and C are columns of one matrix, as a convolution leaves them.
struct Layer {
  Layer(size_t rows_in, Mamba2ChunkShape shape_in, uint32_t seed = 1)
      : rows(rows_in),
        shape(shape_in),
        x(RandomBF16(rows * x_stride(), seed)),
        z(RandomBF16(rows * x_stride(), seed + 1)),
        bc(RandomBF16(rows * bc_stride(), seed + 2)),
        dt(Uniform(rows * shape.heads, -3, 3, seed + 3)),
        bias(Uniform(shape.heads, -6, -1, seed + 4)),
        a(Uniform(shape.heads, -16, -0.5f, seed + 5)),
        d(Uniform(channels(), -1, 1, seed + 6)) {}

  size_t channels() const { return shape.heads * shape.width; }
  size_t x_stride() const { return channels() + 8; }
  size_t bc_width() const { return shape.groups * shape.states; }
  size_t bc_stride() const { return 2 * bc_width() + 16; }
  /// B of a row and group; C lies bc_width() further on.
  const uint16_t* B(size_t row, size_t group) const {
    return bc.data() + row * bc_stride() + 8 + group * shape.states;
  }

  size_t rows;
  Mamba2ChunkShape shape;
  bool has_gate = true, has_skip = true;
  float dt_min = 0, dt_max = 3e38f;
  std::vector<uint16_t> x, z, bc;
  std::vector<float> dt, bias, a, d;
};

/// States of sequences that have read nothing yet, but whose S is random.
inline std::vector<uint32_t> StatesOf(const Layer& layer, size_t sequences) {
  const size_t words = layer.shape.StateBytes() / 4, of_s = layer.shape.XOffset() / 4;
  std::vector<uint32_t> states(sequences * words, 0);
  for (size_t i = 0; i < sequences; ++i) {
    const std::vector<float> s = Uniform(of_s, -2, 2, static_cast<uint32_t>(99 + i));
    std::memcpy(states.data() + i * words, s.data(), of_s * 4);
  }
  return states;
}

/// What a run leaves: y of all rows, padding included, and states of all sequences.
struct Result {
  std::vector<uint16_t> y;
  std::vector<uint32_t> states;
};

struct Sequence {
  size_t first_row, rows;
};

/// A layer on the device.
class OnDevice {
 public:
  explicit OnDevice(const Layer& layer)
      : layer_(layer),
        x_(ToDevice(layer.x)),
        z_(ToDevice(layer.z)),
        bc_(ToDevice(layer.bc)),
        dt_(ToDevice(layer.dt)),
        bias_(ToDevice(layer.bias)),
        a_(ToDevice(layer.a)),
        d_(ToDevice(layer.d)) {}

  Mamba2ChunkScanArgs Args(const DeviceBytes& table, size_t count, size_t longest, uint16_t* y,
                           const DeviceBytes& workspace, const DeviceBytes& counters) const {
    const auto* bc = At<uint16_t>(bc_);
    return {{At<uint16_t>(x_), layer_.x_stride()},
            {layer_.has_gate ? At<uint16_t>(z_) : nullptr, layer_.x_stride()},
            {At<float>(dt_), layer_.shape.heads},
            {bc + 8, layer_.bc_stride()},
            {bc + 8 + layer_.bc_width(), layer_.bc_stride()},
            At<float>(bias_),
            At<float>(a_),
            layer_.has_skip ? At<float>(d_) : nullptr,
            layer_.dt_min,
            layer_.dt_max,
            layer_.shape,
            layer_.rows,
            At<ChunkedSequence>(table),
            count,
            longest,
            {y, layer_.x_stride()},
            workspace.get(),
            At<uint32_t>(counters),
            kStream};
  }

  /// Every sequence from position 0 in calls of at most `cut` rows, side by side.
  Result Run(const std::vector<Sequence>& sequences, size_t cut, By kernel,
             const std::vector<uint32_t>& before) const {
    const DeviceBytes y = ToDevice(std::vector<uint16_t>(layer_.x.size(), kUnwritten));
    const DeviceBytes states = ToDevice(before);
    Scan(sequences, cut, kernel, At<uint16_t>(y), states);
    return {FromDevice<uint16_t>(y, layer_.x.size()), FromDevice<uint32_t>(states, before.size())};
  }

  void Scan(const std::vector<Sequence>& sequences, size_t cut, By kernel, uint16_t* y,
            const DeviceBytes& states) const {
    const DeviceBytes workspace =
        AllocateDevice(layer_.shape.WorkspaceBytes(layer_.rows, sequences.size()));
    const DeviceBytes counters =
        ToDevice(std::vector<uint32_t>(sequences.size() * layer_.shape.groups, 0));
    size_t longest = 0;
    for (const Sequence& sequence : sequences) longest = std::max(longest, sequence.rows);
    for (size_t first = 0; first < longest; first += std::min(cut, longest)) {
      std::vector<ChunkedSequence> table;
      for (size_t i = 0; i < sequences.size(); ++i) {
        const size_t begin = std::min(first, sequences[i].rows);
        const size_t rows = std::min(cut, sequences[i].rows - begin);
        table.push_back({static_cast<uint32_t>(sequences[i].first_row + begin),
                         static_cast<uint32_t>(rows), begin,
                         states.get() + i * layer_.shape.StateBytes()});
      }
      const DeviceBytes on_device = ToDevice(table);
      CheckCuda(cudaMemset(workspace.get(), 0xff,
                           layer_.shape.WorkspaceBytes(layer_.rows, sequences.size())),
                "poison");
      const Mamba2ChunkScanArgs args =
          Args(on_device, table.size(), std::min(cut, longest), y, workspace, counters);
      kernel ? LaunchMamba2ChunkScan(args, *kernel) : LaunchMamba2ChunkScan(args);
      CheckCuda(cudaDeviceSynchronize(), "scan");
    }
  }

  uint16_t* x() const { return At<uint16_t>(x_); }
  uint16_t* z() const { return At<uint16_t>(z_); }

 private:
  const Layer& layer_;
  DeviceBytes x_, z_, bc_, dt_, bias_, a_, d_;
};

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_TESTS_KERNELS_MAMBA2_CHUNK_LAYER_H_
