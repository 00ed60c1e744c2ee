// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/packed_matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <stdexcept>

#include "kernels/row_reader.h"
#include "kernels/weights.h"

namespace statelib::kernels {

namespace {

PackedKind KindOf(WeightType stored, WeightFormat format) {
  if (format == WeightFormat::kBF16) return PackedKind::kBF16Pairs;
  switch (HeldType(stored, format)) {
    case WeightType::kF32:
    case WeightType::kF16:
      return PackedKind::kF32;
    case WeightType::kBF16:
      return PackedKind::kBF16;
    case WeightType::kQ8_0:
      return PackedKind::kQ8_0;
    case WeightType::kQ4_0:
      return PackedKind::kQ4_0;
    case WeightType::kQ4_1:
      return PackedKind::kQ4_1;
    case WeightType::kQ5_0:
      return PackedKind::kQ5_0;
    case WeightType::kQ5_1:
      return PackedKind::kQ5_1;
    case WeightType::kQ4_K:
      return PackedKind::kQ4_K;
    case WeightType::kQ5_K:
      return PackedKind::kQ5_K;
    case WeightType::kQ6_K:
      return PackedKind::kQ6_K;
  }
  return PackedKind::kF32;
}

size_t PanelBytes(PackedKind kind, size_t inputs) {
  switch (kind) {
    case PackedKind::kF32:
      return inputs * kPanelWidth * 4;
    case PackedKind::kBF16:
      return inputs * kPanelWidth * 2;
    case PackedKind::kBF16Pairs:
      return (inputs + 1) / 2 * kPanelWidth * 4;
    default:
      return BlockPanelOf(TypeOf(kind), inputs).bytes;
  }
}

/// Where code `input` of `lane` lies in the codes of a panel, and its shift there.
struct CodePlace {
  size_t byte;
  int shift;
};
CodePlace PlaceOf(int code_bits, size_t lane, size_t input) {
  const size_t block = input / kBlockInputs, group = input % kBlockInputs / kGroupInputs;
  const size_t in_vector = lane * kGroupInputs + input % kGroupInputs;
  constexpr size_t kVectorBytes = kPanelWidth * kGroupInputs;
  if (code_bits == 8) return {(block * 8 + group) * kVectorBytes + in_vector, 0};
  return {(block * 4 + group / 2) * kVectorBytes + in_vector, group % 2 == 0 ? 0 : 4};
}

void StoreHalf(uint16_t value, std::byte* to) { std::memcpy(to, &value, 2); }
uint16_t LoadHalf(const std::byte* from) {
  uint16_t value;
  std::memcpy(&value, from, 2);
  return value;
}

/// Packs one row of blocks into its lane.
void PackBlocks(WeightType type, const std::byte* blocks, size_t inputs, size_t lane,
                std::byte* panel) {
  const BlockLayout layout = LayoutOf(type);
  const BlockPanel at = BlockPanelOf(type, inputs);
  BlockCodes numbers;
  for (size_t first = 0; first < inputs; first += layout.elements) {
    const size_t super = first / layout.elements;
    UnpackBlock(type, blocks + super * InfoOf(type).block_bytes, numbers);
    const size_t d_at = (super * kPanelWidth + lane) * 2;
    StoreHalf(numbers.d, panel + at.d + d_at);
    if (layout.has_minimums) StoreHalf(numbers.dmin, panel + at.dmin + d_at);
    const size_t in_blocks = (inputs + kBlockInputs - 1) / kBlockInputs * kBlockInputs;
    for (size_t i = 0; i < layout.elements && first + i < in_blocks; ++i) {
      if (i % layout.sub_elements == 0) {
        const size_t sub = i / layout.sub_elements;
        const size_t to = (first + i) / layout.sub_elements * kPanelWidth + lane;
        if (layout.has_scales) panel[at.scales + to] = static_cast<std::byte>(numbers.scales[sub]);
        if (layout.has_minimums)
          panel[at.minimums + to] = static_cast<std::byte>(numbers.minimums[sub]);
      }
      const CodePlace place = PlaceOf(layout.code_bits, lane, first + i);
      panel[at.codes + place.byte] |= static_cast<std::byte>(numbers.codes[i] << place.shift);
    }
  }
}

/// Unpacks one row's numbers of the block that begins at input `first`.
void UnpackLane(WeightType type, const std::byte* panel, size_t inputs, size_t lane, size_t first,
                BlockCodes& numbers) {
  const BlockLayout layout = LayoutOf(type);
  const BlockPanel at = BlockPanelOf(type, inputs);
  const size_t d_at = (first / layout.elements * kPanelWidth + lane) * 2;
  numbers.d = LoadHalf(panel + at.d + d_at);
  if (layout.has_minimums) numbers.dmin = LoadHalf(panel + at.dmin + d_at);
  for (size_t i = 0; i < layout.elements && first + i < inputs; ++i) {
    if (i % layout.sub_elements == 0) {
      const size_t sub = i / layout.sub_elements;
      const size_t from = (first + i) / layout.sub_elements * kPanelWidth + lane;
      if (layout.has_scales) numbers.scales[sub] = static_cast<int8_t>(panel[at.scales + from]);
      if (layout.has_minimums)
        numbers.minimums[sub] = static_cast<uint8_t>(panel[at.minimums + from]);
    }
    const CodePlace place = PlaceOf(layout.code_bits, lane, first + i);
    const int mask = layout.code_bits == 8 ? 255 : 15;
    numbers.codes[i] = static_cast<uint8_t>(
        std::to_integer<int>(panel[at.codes + place.byte]) >> place.shift & mask);
  }
}

/// Transposes rows of stored elements: `load(row, col)` reads a weight in the packed type.
template <typename T, typename Load>
void Transpose(size_t rows, size_t cols, const Load& load, std::byte* panel) {
  T* to = reinterpret_cast<T*>(panel);
  for (size_t k = 0; k < cols; ++k) {
    for (size_t o = 0; o < rows; ++o) to[k * kPanelWidth + o] = load(o, k);
  }
}

/// Packs rows [first, first + count) of the weights into a panel of zeros.
void PackPanel(PackedKind kind, const WeightView& weights, RowReader& reader, size_t first,
               size_t count, std::byte* panel) {
  const size_t cols = weights.cols;
  const auto stored = [&]<typename T>(size_t row, size_t col) {
    T value;
    std::memcpy(&value, weights.data + sizeof(T) * ((first + row) * cols + col), sizeof(T));
    return value;
  };
  if (kind == PackedKind::kBF16) {
    const auto load = [&](size_t r, size_t c) {
      return stored.template operator()<uint16_t>(r, c);
    };
    return Transpose<uint16_t>(count, cols, load, panel);
  }
  if (kind == PackedKind::kF32 && weights.type == WeightType::kF32) {
    const auto load = [&](size_t r, size_t c) { return stored.template operator()<float>(r, c); };
    return Transpose<float>(count, cols, load, panel);
  }
  for (size_t lane = 0; lane < count; ++lane) {
    if (kind == PackedKind::kF32) {
      const std::span<const float> values = reader.Values(first + lane);
      float* to = reinterpret_cast<float*>(panel) + lane;
      for (size_t k = 0; k < cols; ++k) to[k * kPanelWidth] = values[k];
    } else if (kind == PackedKind::kBF16Pairs) {
      const std::span<const float> values = reader.Values(first + lane);
      uint16_t* to = reinterpret_cast<uint16_t*>(panel) + 2 * lane;
      for (size_t k = 0; k < cols; ++k)
        to[k / 2 * 2 * kPanelWidth + k % 2] = BF16FromFloat(values[k]);
    } else {
      PackBlocks(TypeOf(kind), reader.Blocks(first + lane), cols, lane, panel);
    }
  }
}

/// The size of a description's bytes; empty when there is no such kind or the size does not fit.
std::optional<size_t> SizeOf(const MatrixDescription& description) {
  constexpr auto kLast = static_cast<uint32_t>(kLastPackedKind);
  // Far above any matrix, and low enough that no panel's size overflows.
  constexpr uint64_t kDimensionMax = uint64_t{1} << 32;
  if (description.kind == 0 || description.kind > kLast) return std::nullopt;
  if (description.rows > kDimensionMax || description.cols > kDimensionMax) return std::nullopt;
  const size_t panels = (description.rows + kPanelWidth - 1) / kPanelWidth;
  size_t bytes = 0;
  if (__builtin_mul_overflow(
          panels, PanelBytes(static_cast<PackedKind>(description.kind), description.cols), &bytes))
    return std::nullopt;
  return bytes;
}

}  // namespace

PackedMatrix::PackedMatrix(const WeightView& weights, WeightFormat format, ThreadPool& threads)
    : Matrix(weights.rows, weights.cols),
      kind_(KindOf(weights.type, format)),
      panel_bytes_(PanelBytes(kind_, weights.cols)),
      own_(AllocateAligned(panels() * panel_bytes_)),
      data_(own_.get()) {
  std::vector<RowReader> readers(threads.size(), RowReader(weights, format));
  threads.Run(panels() * cols() < 4096, [&](size_t share, size_t shares) {
    const Part part = PartOf(panels(), 1, share, shares);
    for (size_t p = part.begin; p < part.end; ++p) {
      std::byte* panel = own_.get() + p * panel_bytes_;
      const size_t first = p * kPanelWidth, count = std::min(kPanelWidth, rows() - first);
      std::memset(panel, 0, panel_bytes_);
      PackPanel(kind_, weights, readers[share], first, count, panel);
    }
  });
}

PackedMatrix::PackedMatrix(const MatrixDescription& description, std::span<const std::byte> packed)
    : Matrix(description.rows, description.cols),
      kind_(static_cast<PackedKind>(description.kind)),
      panel_bytes_(0),
      data_(packed.data()) {
  const std::optional<size_t> bytes = SizeOf(description);
  if (!bytes) {
    throw std::invalid_argument(fmt::format("[cpu] packed matrix: no kind {} of {} x {} in {}",
                                            description.kind, description.rows, description.cols,
                                            kPackedLayout));
  }
  if (packed.size() != *bytes ||
      reinterpret_cast<uintptr_t>(packed.data()) % kAlignmentBytes != 0) {
    throw std::invalid_argument(
        fmt::format("[cpu] packed matrix of kind {}, {} x {}: got {} bytes, want {} aligned to {}",
                    description.kind, description.rows, description.cols, packed.size(), *bytes,
                    kAlignmentBytes));
  }
  panel_bytes_ = PanelBytes(kind_, cols());
}

void PackedMatrix::DecodeRow(size_t row, float* to) const {
  const size_t lane = row % kPanelWidth;
  const auto* bytes = panel<std::byte>(row / kPanelWidth);
  const auto* floats = reinterpret_cast<const float*>(bytes);
  const auto* halves = reinterpret_cast<const uint16_t*>(bytes);
  const auto each = [&](const auto& value) {
    for (size_t k = 0; k < cols(); ++k) to[k] = value(k);
  };
  switch (kind_) {
    case PackedKind::kF32:
      return each([&](size_t k) { return floats[k * kPanelWidth + lane]; });
    case PackedKind::kBF16:
      return each([&](size_t k) { return FloatFromBF16(halves[k * kPanelWidth + lane]); });
    case PackedKind::kBF16Pairs:
      return each([&](size_t k) {
        return FloatFromBF16(halves[(k / 2 * kPanelWidth + lane) * 2 + k % 2]);
      });
    default:
      break;
  }
  const WeightType type = TypeOf(kind_);
  const size_t elements = LayoutOf(type).elements;
  BlockCodes numbers;
  std::array<float, kBlockElementsMax> values;
  for (size_t first = 0; first < cols(); first += elements) {
    UnpackLane(type, bytes, cols(), lane, first, numbers);
    DecodeBlock(type, numbers, values.data());
    std::copy_n(values.data(), std::min(elements, cols() - first), to + first);
  }
}

}  // namespace statelib::kernels
