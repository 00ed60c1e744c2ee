// SPDX-License-Identifier: Apache-2.0
// Matrix products on panels of quantised weights: inputs are quantised by blocks of 32, the
// products of codes are summed exactly as integers, and each block goes into the f32 sum by one
// fused multiply-add a scale (and one for the minimums), in the order of the blocks. The lanes are
// outputs.
#if defined(STATELIB_KERNELS_CPU_BLOCK_MATMUL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STATELIB_KERNELS_CPU_BLOCK_MATMUL_INL_H_
#undef STATELIB_KERNELS_CPU_BLOCK_MATMUL_INL_H_
#else
#define STATELIB_KERNELS_CPU_BLOCK_MATMUL_INL_H_
#endif

#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/cpu/dot-inl.h"
#include "kernels/cpu/packed_matrix.h"
#include "kernels/cpu/prepared_input-inl.h"
#include "kernels/cpu/store_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace statelib::kernels::STATELIB_TARGET {

inline constexpr size_t kBlockPanelVectors = kPanelWidth / kLanes;
// Tiles of rows by panels that leave some registers free beside as many integer sums as f32 sums.
// A remainder of rows takes the largest tile that is not larger than it.
struct BlockTileShape {
  size_t rows, panels;
};
inline constexpr std::array<BlockTileShape, 3> kBlockTiles =
    kLanes == 16  ? std::array<BlockTileShape, 3>{{{6, 2}, {2, 4}, {1, 4}}}
    : kLanes == 8 ? std::array<BlockTileShape, 3>{{{2, 1}, {2, 1}, {1, 2}}}
                  : std::array<BlockTileShape, 3>{{{3, 1}, {2, 1}, {1, 2}}};
inline constexpr size_t kBlockPanelsMax = 4;
// Blocks that a tile goes through before the next rows: 16 x 32 inputs x 32 outputs = 16 kB.
inline constexpr size_t kTileBlocks = 16;

/// 16 outputs' numbers of one type as f32.
HWY_INLINE VF LoadHalves(const std::byte* from) {
  const hn::Rebind<hwy::float16_t, DF> d16;
  return hn::PromoteTo(DF(), hn::LoadU(d16, reinterpret_cast<const hwy::float16_t*>(from)));
}
template <typename Byte>
HWY_INLINE VF LoadBytes(const std::byte* from) {
  const hn::Rebind<Byte, DF> d8;
  return hn::ConvertTo(DF(),
                       hn::PromoteTo(DI(), hn::LoadU(d8, reinterpret_cast<const Byte*>(from))));
}

struct BlockTileArgs {
  const std::byte* panel;  // the first one
  ptrdiff_t ahead;         // bytes from these codes to those of the tile after this one
  size_t panel_bytes;
  BlockPanel at;
  size_t first_block;
  size_t blocks;
  const QuantizedRows& x;
  size_t first_row;
  float* sums;  // [rows][panels * 16]
  size_t sums_stride;
};

/// The scales of sub-block `sub` of the panel, for a vector of outputs that begins at `lane`.
template <WeightType kType>
HWY_INLINE VF WeightScales(const std::byte* panel, const BlockPanel& at, size_t sub, size_t lane) {
  constexpr BlockLayout kLayout = LayoutOf(kType);
  const size_t super = sub * kLayout.sub_elements / kLayout.elements;
  const VF d = LoadHalves(panel + at.d + (super * kPanelWidth + lane) * 2);
  if constexpr (!kLayout.has_scales) return d;
  return hn::Mul(d, LoadBytes<int8_t>(panel + at.scales + sub * kPanelWidth + lane));
}

/// The panel and the lane in it with which vector `v` of a tile begins.
HWY_INLINE const std::byte* PanelOf(const BlockTileArgs& args, size_t v) {
  return args.panel + v / kBlockPanelVectors * args.panel_bytes;
}
HWY_INLINE size_t LaneOf(size_t v) { return v % kBlockPanelVectors * kLanes; }

/// The codes of group `g` of inputs in block `b`, of each vector of outputs; of 4 bits, those of
/// the group after it too, which lie in the same bytes.
template <size_t kPacked, size_t kVectors>
HWY_INLINE void LoadCodes(const BlockTileArgs& args, size_t b, size_t g,
                          VU (&codes)[kPacked][kVectors]) {
  constexpr size_t kVectorsOfBlock = kBlockInputs / kGroupInputs / kPacked;
  HWY_UNROLL(16)
  for (size_t v = 0; v < kVectors; ++v) {
    const std::byte* from =
        PanelOf(args, v) + args.at.codes +
        ((b * kVectorsOfBlock + g / kPacked) * kPanelWidth + LaneOf(v)) * kGroupInputs;
    PrefetchAhead(from + args.ahead);
    const VU loaded = hn::LoadU(DU(), reinterpret_cast<const uint32_t*>(from));
    if constexpr (kPacked == 2) {
      const VU low = hn::Set(DU(), 0x0f0f0f0f);
      codes[0][v] = hn::And(loaded, low);
      codes[1][v] = hn::And(hn::ShiftRight<4>(loaded), low);
    } else {
      codes[0][v] = loaded;
    }
  }
}

/// Adds to a tile's sums what the minimums of block `b` come to.
template <WeightType kType, size_t kRows, size_t kVectors>
HWY_INLINE void AddMinimums(const BlockTileArgs& args, size_t b, size_t row_block,
                            VF (&sums)[kRows][kVectors]) {
  const size_t super = b * kBlockInputs / LayoutOf(kType).elements;
  HWY_UNROLL(16)
  for (size_t v = 0; v < kVectors; ++v) {
    const VF minimums = hn::Mul(
        LoadHalves(PanelOf(args, v) + args.at.dmin + (super * kPanelWidth + LaneOf(v)) * 2),
        LoadBytes<uint8_t>(PanelOf(args, v) + args.at.minimums + b * kPanelWidth + LaneOf(v)));
    HWY_UNROLL(16)
    for (size_t t = 0; t < kRows; ++t) {
      const VF factor = hn::Set(DF(), args.x.minimum_factors[row_block + t * args.x.blocks]);
      sums[t][v] = hn::MulAdd(minimums, factor, sums[t][v]);
    }
  }
}

/// Adds some blocks of inputs to a tile's sums.
template <WeightType kType, size_t kRows, size_t kPanels>
HWY_NOINLINE void BlockTile(const BlockTileArgs& args) {
  const DF d;
  constexpr BlockLayout kLayout = LayoutOf(kType);
  constexpr size_t kVectors = kPanels * kBlockPanelVectors;
  constexpr size_t kSubs = kBlockInputs / kLayout.sub_elements;
  constexpr size_t kSubGroups = kLayout.sub_elements / kGroupInputs;
  // Groups in one load of codes.
  constexpr size_t kPacked = kLayout.code_bits == 4 ? 2 : 1;
  VF sums[kRows][kVectors];
  HWY_UNROLL(16)
  for (size_t t = 0; t < kRows; ++t) {
    HWY_UNROLL(16)
    for (size_t v = 0; v < kVectors; ++v)
      sums[t][v] = hn::LoadU(d, args.sums + t * args.sums_stride + v * kLanes);
  }
  for (size_t b = args.first_block; b < args.first_block + args.blocks; ++b) {
    const size_t row_block = args.first_row * args.x.blocks + b;
    const int8_t* x = args.x.codes + row_block * kBlockInputs;
    const size_t x_stride = args.x.blocks * kBlockInputs;
    HWY_UNROLL(2)
    for (size_t s = 0; s < kSubs; ++s) {
      VI totals[kRows][kVectors];
      HWY_UNROLL(16)
      for (size_t t = 0; t < kRows; ++t) {
        const VI start = hn::Set(DI(), args.x.starts[(row_block + t * args.x.blocks) * kSubs + s]);
        HWY_UNROLL(16)
        for (size_t v = 0; v < kVectors; ++v) totals[t][v] = start;
      }
      for (size_t g = s * kSubGroups; g < (s + 1) * kSubGroups; g += kPacked) {
        VU codes[kPacked][kVectors];
        LoadCodes(args, b, g, codes);
        HWY_UNROLL(2)
        for (size_t part = 0; part < kPacked; ++part) {
          HWY_UNROLL(16)
          for (size_t t = 0; t < kRows; ++t) {
            int32_t group;
            std::memcpy(&group, x + t * x_stride + (g + part) * kGroupInputs, sizeof(group));
            const VI input = hn::Set(DI(), group);
            HWY_UNROLL(16)
            for (size_t v = 0; v < kVectors; ++v)
              totals[t][v] = DotBytes(totals[t][v], codes[part][v], input);
          }
        }
      }
      HWY_UNROLL(16)
      for (size_t v = 0; v < kVectors; ++v) {
        const VF scales = WeightScales<kType>(PanelOf(args, v), args.at, b * kSubs + s, LaneOf(v));
        HWY_UNROLL(16)
        for (size_t t = 0; t < kRows; ++t) {
          const VF scale = hn::Set(d, args.x.scales[row_block + t * args.x.blocks]);
          sums[t][v] =
              hn::MulAdd(hn::ConvertTo(d, totals[t][v]), hn::Mul(scales, scale), sums[t][v]);
        }
      }
    }
    if constexpr (kLayout.has_minimums) AddMinimums<kType>(args, b, row_block, sums);
  }
  HWY_UNROLL(16)
  for (size_t t = 0; t < kRows; ++t) {
    HWY_UNROLL(16)
    for (size_t v = 0; v < kVectors; ++v)
      hn::StoreU(sums[t][v], d, args.sums + t * args.sums_stride + v * kLanes);
  }
}

using BlockTileFunction = void (*)(const BlockTileArgs&);

/// All rows (at most kRowsMax) times `count` panels that begin with panel `first`, of which the
/// last `kept` go to `out`.
template <WeightType kType, BlockTileShape kShape>
void MatMulGroup(const PackedMatrix& matrix, const QuantizedRows& x, const float* bias,
                 Epilogue epilogue, Rows out, size_t first, size_t kept) {
  HWY_ALIGN float sums[kRowsMax * kBlockPanelsMax * kPanelWidth];
  constexpr size_t kStride = kShape.panels * kPanelWidth;
  std::fill_n(sums, out.rows * kStride, 0.0f);
  const BlockPanel at = BlockPanelOf(kType, matrix.cols());
  const auto* panels = matrix.panel<std::byte>(first);
  constexpr size_t kTileBytes =
      kTileBlocks * kBlockInputs * kPanelWidth * static_cast<size_t>(LayoutOf(kType).code_bits) / 8;
  const auto group_bytes = static_cast<ptrdiff_t>(kShape.panels * at.bytes);
  for (size_t panel = 0; panel < kShape.panels; ++panel) {  // of the next group, all but its codes
    const std::byte* begin = panels + group_bytes + panel * at.bytes;
    for (size_t i = 0; i < at.codes; i += kAlignmentBytes) PrefetchAhead(begin + i);
  }
  for (size_t b = 0; b < x.blocks; b += kTileBlocks) {
    const bool last = b + kTileBlocks >= x.blocks;
    const auto done = static_cast<ptrdiff_t>(b / kTileBlocks * kTileBytes);
    BlockTileArgs args{panels,   last ? group_bytes - done : static_cast<ptrdiff_t>(kTileBytes),
                       at.bytes, at,
                       b,        std::min(kTileBlocks, x.blocks - b),
                       x,        0,
                       sums,     kStride};
    const auto advance = [&](size_t rows) {
      args.ahead = 0;  // the first rows brought the next codes near
      args.first_row += rows;
      args.sums += rows * kStride;
    };
    for (; args.first_row + kShape.rows <= out.rows; advance(kShape.rows))
      BlockTile<kType, kShape.rows, kShape.panels>(args);
    for (; kShape.rows > 2 && args.first_row + 2 <= out.rows; advance(2))
      BlockTile<kType, 2, kShape.panels>(args);
    for (; kShape.rows > 1 && args.first_row < out.rows; advance(1))
      BlockTile<kType, 1, kShape.panels>(args);
  }
  const size_t skipped = (kShape.panels - kept) * kPanelWidth;
  const size_t output = first * kPanelWidth + skipped;
  StoreSums(sums + skipped, kStride, bias, epilogue, out, output,
            std::min(output + kept * kPanelWidth, matrix.rows()));
}

/// Panels in groups; the last group may begin before the end of the one before it.
template <WeightType kType, BlockTileShape kShape>
void MatMulGroups(const PackedMatrix& matrix, const QuantizedRows& x, const float* bias,
                  Epilogue epilogue, Rows out, Part panels) {
  constexpr size_t kPanels = kShape.panels;
  if (panels.end - panels.begin < kPanels) {
    for (size_t p = panels.begin; p < panels.end; ++p)
      MatMulGroup<kType, BlockTileShape{1, 1}>(matrix, x, bias, epilogue, out, p, 1);
    return;
  }
  for (size_t p = panels.begin; p < panels.end; p += kPanels) {
    const size_t kept = std::min(kPanels, panels.end - p);
    MatMulGroup<kType, kShape>(matrix, x, bias, epilogue, out, p + kept - kPanels, kept);
  }
}

/// All rows (at most kRowsMax) times some panels.
template <WeightType kType>
void MatMulBlocks(const PackedMatrix& matrix, const float* bias, ConstRows x, Epilogue epilogue,
                  Rows out, Part panels, std::byte* prepared) {
  const QuantizedRows quantized(x.rows, x.cols, prepared);
  if (x.rows >= kBlockTiles[0].rows) {
    MatMulGroups<kType, kBlockTiles[0]>(matrix, quantized, bias, epilogue, out, panels);
  } else if (x.rows >= kBlockTiles[1].rows) {
    MatMulGroups<kType, kBlockTiles[1]>(matrix, quantized, bias, epilogue, out, panels);
  } else {
    MatMulGroups<kType, kBlockTiles[2]>(matrix, quantized, bias, epilogue, out, panels);
  }
}

}  // namespace statelib::kernels::STATELIB_TARGET
HWY_AFTER_NAMESPACE();

#endif
