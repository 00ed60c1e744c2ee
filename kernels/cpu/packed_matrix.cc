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
  // Blocks of 16 inputs keep the 16 source lines and the destination in the first cache.
  for (size_t first_col = 0; first_col < cols; first_col += 16) {
    const size_t end_col = std::min(first_col + 16, cols);
    for (size_t o = 0; o < width; ++o) {
      for (size_t k = first_col; k < end_col; ++k) to[k * kPanelWidth + o] = load(first_row + o, k);
    }
  }
}

}  // namespace

PackedMatrix::PackedMatrix(const WeightView& weights, ThreadPool& threads)
    : Matrix(weights.rows, weights.cols), is_bf16_(weights.dtype == DType::kBF16) {
  const size_t element_bytes = is_bf16_ ? 2 : 4;
  bytes_ = AllocateAligned(panels() * cols() * kPanelWidth * element_bytes);
  threads.Run(panels() * cols() < 4096, [&](size_t share, size_t shares) {
    const Part part = PartOf(panels(), 1, share, shares);
    for (size_t p = part.begin; p < part.end; ++p) {
      if (is_bf16_) {
        const auto load = [&](size_t row, size_t col) {
          uint16_t bits;
          std::memcpy(&bits, weights.data + 2 * (row * weights.cols + col), 2);
          return bits;
        };
        PackPanel(p * kPanelWidth, rows(), cols(), load, const_cast<uint16_t*>(panel<uint16_t>(p)));
      } else {
        const auto load = [&](size_t row, size_t col) { return LoadWeight(weights, row, col); };
        PackPanel(p * kPanelWidth, rows(), cols(), load, const_cast<float*>(panel<float>(p)));
      }
    }
  });
}

}  // namespace statelib::kernels
