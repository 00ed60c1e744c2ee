// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CPU_PACKED_MATRIX_H_
#define STATELIB_KERNELS_CPU_PACKED_MATRIX_H_

#include "kernels/aligned.h"
#include "kernels/backend.h"
#include "kernels/cpu/thread_pool.h"
#include "kernels/weight_blocks.h"

namespace statelib::kernels {

/// Outputs side by side in a panel: the lanes of the vectors of a matrix product.
inline constexpr size_t kPanelWidth = 16;

/// Inputs that a scale covers, and inputs side by side in a lane of a vector of codes.
inline constexpr size_t kBlockInputs = 32;
inline constexpr size_t kGroupInputs = 4;

/// Every layout, so that a product streams through memory and every output sums over its inputs in
/// plain order. Numbers are in files: a change of one is a change of kPackedLayout. All are panels
/// of 16 outputs, the last one filled up with zeros.
enum class PackedKind : uint32_t {
  kF32 = 1,        ///< [panel][input][16] f32
  kBF16 = 2,       ///< [panel][input][16] bf16, multiplied as f32
  kBF16Pairs = 3,  ///< [panel][input / 2][16][2] bf16, multiplied as bf16
  kQ8_0 = 4,       ///< from here on: [panel] as BlockPanel says
  kQ4_0 = 5,
  kQ4_K = 6,
  kQ5_K = 7,
  kQ6_K = 8,
  kQ4_1 = 9,
  kQ5_0 = 10,
  kQ5_1 = 11,
};
inline constexpr PackedKind kLastPackedKind = PackedKind::kQ5_1;
inline constexpr const char* kPackedLayout = "cpu-panels-r1";

/// The type of the blocks of a kind, or a plain type.
constexpr WeightType TypeOf(PackedKind kind) {
  switch (kind) {
    case PackedKind::kF32:
      return WeightType::kF32;
    case PackedKind::kBF16:
    case PackedKind::kBF16Pairs:
      return WeightType::kBF16;
    case PackedKind::kQ8_0:
      return WeightType::kQ8_0;
    case PackedKind::kQ4_0:
      return WeightType::kQ4_0;
    case PackedKind::kQ4_1:
      return WeightType::kQ4_1;
    case PackedKind::kQ5_0:
      return WeightType::kQ5_0;
    case PackedKind::kQ5_1:
      return WeightType::kQ5_1;
    case PackedKind::kQ4_K:
      return WeightType::kQ4_K;
    case PackedKind::kQ5_K:
      return WeightType::kQ5_K;
    case PackedKind::kQ6_K:
      return WeightType::kQ6_K;
  }
  return WeightType::kF32;
}

/// Where the parts of a panel of quantised weights begin, in bytes, each aligned to 64. Inputs are
/// filled up to blocks of 32.
///   d, dmin        [ceil(inputs / elements)][16] halves
///   scales         [blocks][32 / sub_elements][16] signed bytes
///   minimums       [blocks][16] bytes
///   codes, 8 bits  [blocks][8 groups][16][4 inputs] bytes
///   codes, 4 bits  [blocks][4][16][4 inputs] bytes: group 2 v in the low nibbles, 2 v + 1 above
struct BlockPanel {
  size_t d, dmin, scales, minimums, codes, bytes;
};

constexpr BlockPanel BlockPanelOf(WeightType type, size_t inputs) {
  const BlockLayout layout = LayoutOf(type);
  const size_t blocks = (inputs + kBlockInputs - 1) / kBlockInputs;
  const size_t supers = (inputs + layout.elements - 1) / layout.elements;
  size_t end = 0;
  const auto take = [&end](bool there, size_t bytes) {
    const size_t begin = end;
    if (there) end += (bytes + kAlignmentBytes - 1) / kAlignmentBytes * kAlignmentBytes;
    return begin;
  };
  BlockPanel panel{};
  panel.d = take(true, supers * kPanelWidth * 2);
  panel.dmin = take(layout.has_minimums, supers * kPanelWidth * 2);
  panel.scales =
      take(layout.has_scales, blocks * (kBlockInputs / layout.sub_elements) * kPanelWidth);
  panel.minimums = take(layout.has_minimums, blocks * kPanelWidth);
  panel.codes =
      take(true, blocks * kBlockInputs * kPanelWidth * static_cast<size_t>(layout.code_bits) / 8);
  panel.bytes = end;
  return panel;
}

class PackedMatrix : public Matrix {
 public:
  /// Errors: std::bad_alloc.
  PackedMatrix(const WeightView& weights, WeightFormat format, ThreadPool& threads);
  /// Uses bytes that the caller keeps. Errors: std::invalid_argument.
  PackedMatrix(const MatrixDescription& description, std::span<const std::byte> packed);

  PackedKind kind() const { return kind_; }
  MatrixDescription description() const override {
    return {static_cast<uint32_t>(kind_), rows(), cols()};
  }
  std::span<const std::byte> packed() const override { return {data_, panels() * panel_bytes_}; }

  size_t panels() const { return (rows() + kPanelWidth - 1) / kPanelWidth; }
  /// The first element of a panel.
  template <typename T>
  const T* panel(size_t index) const {
    return reinterpret_cast<const T*>(data_ + index * panel_bytes_);
  }
  /// One row as f32. to: cols().
  void DecodeRow(size_t row, float* to) const;

 private:
  PackedKind kind_;
  size_t panel_bytes_;
  AlignedBytes own_;  // empty for a mapped matrix
  const std::byte* data_;
};

}  // namespace statelib::kernels

#endif  // STATELIB_KERNELS_CPU_PACKED_MATRIX_H_
