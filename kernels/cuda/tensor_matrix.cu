// SPDX-License-Identifier: Apache-2.0
// Packing: slices of whole tiles travel to the device as they are and are laid out there, one
// thread a 16-byte piece. Done once a matrix, at the speed of the copy from the host.
#include "kernels/cuda/tensor_matrix.h"

#include <algorithm>

#include "kernels/check.h"

namespace statelib::kernels::cuda {

namespace {

constexpr unsigned kThreads = 256;
constexpr size_t kSliceBytes = size_t{32} << 20;
constexpr size_t kPieceInputs = 8, kPiecesAcross = kTileInputs / kPieceInputs;

/// rows: [row_count, cols], the first one the first of a tile. to: tiles, as TensorMatrix has them.
__global__ void PackTilesKernel(const uint16_t* rows, size_t row_count, size_t cols, size_t tiles,
                                size_t piece_total, uint4* to) {
  const size_t index = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (index >= piece_total) return;
  const size_t piece = index % kPiecesAcross, output = index / kPiecesAcross % kTileOutputs;
  const size_t tile = index / kPiecesAcross / kTileOutputs;
  const size_t row = tile / tiles * kTileOutputs + output;
  const size_t col = tile % tiles * kTileInputs + (piece ^ output % kPiecesAcross) * kPieceInputs;
  union {
    uint16_t weights[kPieceInputs];
    uint4 bits;
  } packed;
#pragma unroll
  for (size_t i = 0; i < kPieceInputs; ++i)
    packed.weights[i] = row < row_count && col + i < cols ? rows[row * cols + col + i] : 0;
  to[index] = packed.bits;
}

}  // namespace

TensorMatrix::TensorMatrix(const WeightView& weights) : Matrix(weights.rows, weights.cols) {
  STATELIB_CHECK(weights.type == WeightType::kBF16 && rows() > 0 && cols() > 0);
  const size_t band_bytes = input_tiles() * kTileBytes, row_bytes = cols() * sizeof(uint16_t);
  bytes_ = AllocateDevice(output_tiles() * band_bytes);
  const size_t slice_tiles = std::max<size_t>(1, kSliceBytes / row_bytes / kTileOutputs);
  const size_t slice_rows = std::min(slice_tiles * kTileOutputs, rows());
  const DeviceBytes slice = AllocateDevice(slice_rows * row_bytes);
  for (size_t row = 0; row < rows(); row += slice_rows) {
    const size_t count = std::min(slice_rows, rows() - row);
    CheckCuda(cudaMemcpy(slice.get(), weights.data + row * row_bytes, count * row_bytes,
                         cudaMemcpyHostToDevice),
              "pack");
    const size_t bands = (count + kTileOutputs - 1) / kTileOutputs;
    const size_t pieces = bands * band_bytes / sizeof(uint4);
    PackTilesKernel<<<GridX((pieces + kThreads - 1) / kThreads), kThreads, 0, kStream>>>(
        reinterpret_cast<const uint16_t*>(slice.get()), count, cols(), input_tiles(), pieces,
        reinterpret_cast<uint4*>(bytes_.get() + row / kTileOutputs * band_bytes));
    CheckCuda(cudaGetLastError(), "pack");
  }
  CheckCuda(cudaStreamSynchronize(kStream), "pack");
}

}  // namespace statelib::kernels::cuda
