// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/packed_matrix.h"

#include <algorithm>
#include <cstring>

#include "kernels/weights.h"

namespace statelib::kernels {

namespace {

/// Transposes one panel: `load(row, col)` reads a weight in the packed type.
template <typename T, typename Load>
void PackPanel(size_t first_row, size_t rows, size_t cols, const Load& load, T* to) {
  const size_t width = std::min(kPanelWidth, rows - first_row);
  if (width < kPanelWidth) std::fill_n(to, cols * kPanelWidth, T{});
  for (size_t k = 0; k < cols; ++k) {
    for (size_t o = 0; o < width; ++o) to[k * kPanelWidth + o] = load(first_row + o, k);
  }
}

}  // namespace

PackedMatrix::PackedMatrix(const WeightView& weights, ThreadPool& threads)
    : Matrix(weights.rows, weights.cols), is_bf16_(weights.dtype == DType::kBF16) {
  bytes_ = AllocateAligned(panels() * cols() * kPanelWidth * (is_bf16_ ? 2 : 4));
  threads.Run(panels() * cols() < 4096, [&](size_t share, size_t shares) {
    const Part part = PartOf(panels(), 1, share, shares);
    for (size_t p = part.begin; p < part.end; ++p) PackOne(weights, p);
  });
}

void PackedMatrix::PackOne(const WeightView& weights, size_t index) {
  const auto load = [&]<typename T>(size_t row, size_t col) {
    T value;
    std::memcpy(&value, weights.data + sizeof(T) * (row * weights.cols + col), sizeof(T));
    return value;
  };
  const size_t first_row = index * kPanelWidth;
  const size_t offset = index * cols() * kPanelWidth;
  if (is_bf16_) {
    auto* to = reinterpret_cast<uint16_t*>(bytes_.get()) + offset;
    PackPanel(
        first_row, rows(), cols(),
        [&](size_t r, size_t c) { return load.template operator()<uint16_t>(r, c); }, to);
    return;
  }
  auto* to = reinterpret_cast<float*>(bytes_.get()) + offset;
  if (weights.dtype == DType::kF32) {
    PackPanel(
        first_row, rows(), cols(),
        [&](size_t r, size_t c) { return load.template operator()<float>(r, c); }, to);
  } else {
    const auto half = [&](size_t r, size_t c) {
      return FloatFromF16(load.template operator()<uint16_t>(r, c));
    };
    PackPanel(first_row, rows(), cols(), half, to);
  }
}

}  // namespace statelib::kernels
