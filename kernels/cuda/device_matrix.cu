// SPDX-License-Identifier: Apache-2.0
// Packing: slices of rows travel to the device as they are and are laid out there. One thread
// writes one 16-byte vector; a warp writes 512 contiguous bytes and reads 32 rows, each row's
// neighbouring vectors from the cache. Done once a matrix, at the speed of the copy from the host.
#include <algorithm>

#include "kernels/cuda/device_matrix.h"

namespace statelib::kernels::cuda {

namespace {

constexpr unsigned kThreads = 256;
// A slice of rows on its way to the device; large enough for the copy's full speed.
constexpr size_t kSliceBytes = size_t{32} << 20;

/// rows: [row_count, cols] as stored, the first one the first row of a panel.
/// to: [panels][vectors][32][kVector].
template <typename Element>
__global__ void PackKernel(const Element* rows, size_t row_count, size_t cols, size_t vectors,
                           size_t vector_total, Element minus_zero, uint4* to) {
  constexpr size_t kVector = sizeof(uint4) / sizeof(Element);
  const size_t index = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (index >= vector_total) return;
  const size_t lane = index % kPanelOutputs, vector = index / kPanelOutputs % vectors;
  const size_t row = index / kPanelOutputs / vectors * kPanelOutputs + lane;
  union {
    Element elements[kVector];
    uint4 bits;
  } packed;
#pragma unroll
  for (size_t i = 0; i < kVector; ++i) {
    const size_t col = vector * kVector + i;
    packed.elements[i] = row < row_count && col < cols ? rows[row * cols + col] : minus_zero;
  }
  to[index] = packed.bits;
}

template <typename Element>
void LaunchPack(const std::byte* rows, size_t row_count, size_t cols, size_t vectors,
                std::byte* to) {
  const size_t panels = (row_count + kPanelOutputs - 1) / kPanelOutputs;
  const size_t total = panels * vectors * kPanelOutputs;
  constexpr Element kMinusZero = Element{1} << (8 * sizeof(Element) - 1);
  PackKernel<<<GridX((total + kThreads - 1) / kThreads), kThreads, 0, kStream>>>(
      reinterpret_cast<const Element*>(rows), row_count, cols, vectors, total, kMinusZero,
      reinterpret_cast<uint4*>(to));
  CheckCuda(cudaGetLastError(), "pack");
}

}  // namespace

DeviceMatrix::DeviceMatrix(const WeightView& weights)
    : Matrix(weights.rows, weights.cols), type_(weights.type) {
  const size_t output_bytes = PaddedInputs() * InfoOf(type_).block_bytes;
  bytes_ = AllocateDevice(panels() * kPanelOutputs * output_bytes);
  const size_t row_bytes = cols() * InfoOf(type_).block_bytes;
  if (rows() == 0 || row_bytes == 0) return;
  const size_t slice_panels = std::max<size_t>(1, kSliceBytes / row_bytes / kPanelOutputs);
  const size_t slice_rows = std::min(slice_panels * kPanelOutputs, rows());
  const DeviceBytes slice = AllocateDevice(slice_rows * row_bytes);
  for (size_t row = 0; row < rows(); row += slice_rows) {
    const size_t count = std::min(slice_rows, rows() - row);
    CheckCuda(cudaMemcpy(slice.get(), weights.data + row * row_bytes, count * row_bytes,
                         cudaMemcpyHostToDevice),
              "pack");
    const auto launch =
        InfoOf(type_).block_bytes == 4 ? LaunchPack<uint32_t> : LaunchPack<uint16_t>;
    launch(slice.get(), count, cols(), vectors(), bytes_.get() + row * output_bytes);
  }
}

}  // namespace statelib::kernels::cuda
