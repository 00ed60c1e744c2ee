// SPDX-License-Identifier: Apache-2.0
// The checks, and the choice of a kernel.
#include "kernels/cuda/mamba1_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "kernels/check.h"
#include "kernels/cuda/mamba1_operands.h"

namespace statelib::kernels::cuda {

namespace {

void CheckRows(const char* name, const void* data, size_t stride, size_t columns,
               size_t element_bytes) {
  STATELIB_CHECK(stride >= columns);
  const auto address = reinterpret_cast<uintptr_t>(data);
  if (address % 16 == 0 && stride * element_bytes % 16 == 0) return;
  throw std::runtime_error(
      fmt::format("[cuda] mamba-1 scan: rows of {} begin on multiples of 16 bytes, got address {} "
                  "modulo 16 and a stride of {} elements",
                  name, address % 16, stride));
}

void Check(const Mamba1ScanArgs& args) {
  if (args.channels == 0 || args.channels % 8 != 0 || args.channels > (1u << 20)) {
    throw std::runtime_error(fmt::format(
        "[cuda] mamba-1 scan: d_inner is a multiple of 8 up to 1,048,576, got {}", args.channels));
  }
  if (args.states == 0 || args.states % 8 != 0 || args.states > 256) {
    throw std::runtime_error(fmt::format(
        "[cuda] mamba-1 scan: d_state is a multiple of 8 up to 256, got {}", args.states));
  }
  if (args.sequence_count == 0 || args.sequence_count > 65535) {
    throw std::runtime_error(
        fmt::format("[cuda] mamba-1 scan: 1 to 65,535 sequences, got {}", args.sequence_count));
  }
  CheckRows("x", args.x.data, args.x.stride, args.channels, sizeof(uint16_t));
  CheckRows("z", args.z.data, args.z.stride, args.channels, sizeof(uint16_t));
  CheckRows("dt", args.dt.data, args.dt.stride, args.channels, sizeof(float));
  CheckRows("B", args.b.data, args.b.stride, args.states, sizeof(uint16_t));
  CheckRows("C", args.c.data, args.c.stride, args.states, sizeof(uint16_t));
  CheckRows("y", args.y.data, args.y.stride, args.channels, sizeof(uint16_t));
}

/// Which kernel has less to do, by times seen on an H100.
Mamba1Kernel FasterOf(const Mamba1ScanArgs& args) {
  const double channels = static_cast<double>(args.channels * args.sequence_count);
  const double rows = static_cast<double>(args.longest_rows);
  const double blocks_of_states = static_cast<double>(args.states) / kBlockStates;
  const double rings = channels / 8 / static_cast<double>(args.multiprocessors);
  const double rows_us =
      5 * std::max(1.0, rings / 5) + 0.008 * rows * std::max(1.0, rings) * blocks_of_states;
  const double few_rows_us =
      2 + blocks_of_states * (channels / 19000 + rows * (1 + channels / 44000));
  return few_rows_us < rows_us ? Mamba1Kernel::kFewRows : Mamba1Kernel::kRows;
}

}  // namespace

void LaunchMamba1Scan(const Mamba1ScanArgs& args, Mamba1Kernel kernel) {
  Check(args);
  Mamba1Operands operands{};
  operands.x = args.x.data, operands.x_stride = args.x.stride;
  operands.z = args.z.data, operands.z_stride = args.z.stride;
  operands.dt = args.dt.data, operands.dt_stride = args.dt.stride;
  operands.b = args.b.data, operands.b_stride = args.b.stride;
  operands.c = args.c.data, operands.c_stride = args.c.stride;
  operands.y = args.y.data, operands.y_stride = args.y.stride;
  operands.dt_bias = args.dt_bias;
  operands.a = args.a;
  operands.d = args.d;
  operands.sequences = args.sequences;
  operands.channels = static_cast<unsigned>(args.channels);
  operands.states = static_cast<unsigned>(args.states);
  operands.state_blocks = (operands.states + kBlockStates - 1) / kBlockStates;
  const auto launch = kernel == Mamba1Kernel::kRows ? LaunchMamba1Rows : LaunchMamba1FewRows;
  launch(operands, args);
}

void LaunchMamba1Scan(const Mamba1ScanArgs& args) { LaunchMamba1Scan(args, FasterOf(args)); }

}  // namespace statelib::kernels::cuda
