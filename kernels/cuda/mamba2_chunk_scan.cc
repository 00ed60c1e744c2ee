// SPDX-License-Identifier: Apache-2.0
// The checks, and the choice of a kernel.
#include "kernels/cuda/mamba2_chunk_scan.h"

#include <fmt/format.h>

#include <stdexcept>

#include "kernels/check.h"
#include "kernels/cuda/mamba2_chunk_operands.h"

namespace statelib::kernels::cuda {

namespace {

// Up to so many rows of a sequence a token at a time is faster, by times seen on an H100.
constexpr size_t kFewRowsMax = 8;

void CheckRows(const char* name, const ConstBF16Rows& rows, size_t columns) {
  STATELIB_CHECK(rows.stride >= columns);
  const auto address = reinterpret_cast<uintptr_t>(rows.data);
  if (address % 16 == 0 && rows.stride % 8 == 0) return;
  throw std::runtime_error(
      fmt::format("[cuda] mamba-2 scan: rows of {} begin on multiples of 16 bytes, got address {} "
                  "modulo 16 and a stride of {} elements",
                  name, address % 16, rows.stride));
}

void CheckShape(const Mamba2ChunkShape& shape) {
  if (shape.width == 0 || shape.width % 8 != 0 || shape.width > 4096) {
    throw std::runtime_error(fmt::format(
        "[cuda] mamba-2 scan: head_dim is a multiple of 8 up to 4,096, got {}", shape.width));
  }
  if (shape.states == 0 || shape.states % 8 != 0 || shape.states > kChunkStatesMax) {
    throw std::runtime_error(
        fmt::format("[cuda] mamba-2 scan: d_state is a multiple of 8 up to {}, got {}",
                    kChunkStatesMax, shape.states));
  }
  if (shape.groups == 0 || shape.heads == 0 || shape.heads % shape.groups != 0 ||
      shape.heads > 65535 || shape.groups > 65534) {
    throw std::runtime_error(fmt::format(
        "[cuda] mamba-2 scan: n_groups divides the number of heads, which is at most 65,535, got "
        "{} and {}",
        shape.groups, shape.heads));
  }
}

void Check(const Mamba2ChunkScanArgs& args) {
  const Mamba2ChunkShape& shape = args.shape;
  CheckShape(shape);
  if (args.sequence_count == 0 || args.sequence_count > 65535) {
    throw std::runtime_error(
        fmt::format("[cuda] mamba-2 scan: 1 to 65,535 sequences, got {}", args.sequence_count));
  }
  STATELIB_CHECK(args.dt_raw.stride >= shape.heads);
  CheckRows("x", args.x, shape.heads * shape.width);
  if (args.z.data != nullptr) CheckRows("z", args.z, shape.heads * shape.width);
  CheckRows("B", args.b, shape.groups * shape.states);
  CheckRows("C", args.c, shape.groups * shape.states);
  CheckRows("y", args.y, shape.heads * shape.width);
}

Mamba2Operands OperandsOf(const Mamba2ChunkScanArgs& args) {
  const Mamba2ChunkShape& shape = args.shape;
  const size_t chunks = args.rows / kChunkTokens + 2 * args.sequence_count;
  Mamba2Operands operands{};
  operands.x = args.x.data, operands.x_stride = args.x.stride;
  operands.z = args.z.data, operands.z_stride = args.z.stride;
  operands.b = args.b.data, operands.b_stride = args.b.stride;
  operands.c = args.c.data, operands.c_stride = args.c.stride;
  operands.y = args.y.data, operands.y_stride = args.y.stride;
  operands.dt_raw = args.dt_raw.data, operands.dt_stride = args.dt_raw.stride;
  operands.dt_bias = args.dt_bias;
  operands.a = args.a;
  operands.d = args.d;
  operands.dt_min = args.dt_min, operands.dt_max = args.dt_max;
  operands.sequences = args.sequences;
  operands.counters = args.counters;
  operands.products = reinterpret_cast<float*>(args.workspace);
  operands.steps = operands.products + chunks * shape.groups * kChunkTokens * kChunkTokens;
  operands.x_offset = shape.XOffset();
  operands.b_offset = shape.BOffset();
  operands.dt_offset = shape.DtOffset();
  operands.heads = static_cast<unsigned>(shape.heads);
  operands.width = static_cast<unsigned>(shape.width);
  operands.states = static_cast<unsigned>(shape.states);
  operands.groups = static_cast<unsigned>(shape.groups);
  operands.heads_of_group = operands.heads / operands.groups;
  operands.tiles = static_cast<unsigned>(shape.TilesOfHead());
  return operands;
}

}  // namespace

void LaunchMamba2ChunkScan(const Mamba2ChunkScanArgs& args, Mamba2Kernel kernel) {
  Check(args);
  const Mamba2Operands operands = OperandsOf(args);
  if (kernel == Mamba2Kernel::kFewRows) return LaunchMamba2ChunkFewRows(operands, args);
  LaunchMamba2ChunkProducts(operands, args);
  LaunchMamba2ChunkRows(operands, args);
}

void LaunchMamba2ChunkScan(const Mamba2ChunkScanArgs& args) {
  LaunchMamba2ChunkScan(
      args, args.longest_rows <= kFewRowsMax ? Mamba2Kernel::kFewRows : Mamba2Kernel::kRows);
}

}  // namespace statelib::kernels::cuda
