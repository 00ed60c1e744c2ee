// SPDX-License-Identifier: Apache-2.0
#include "kernels/quantize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "kernels/check.h"
#include "kernels/weights.h"

namespace statelib::kernels {

namespace {

constexpr uint16_t kHalfNaN = 0x7e00;

/// The nearest integer, ties to even; |value| < 2^22.
float Nearest(float value) {
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23
  return (value + kRound) - kRound;
}

void StoreHalf(uint16_t bits, std::byte* to) { std::memcpy(to, &bits, 2); }

bool AllFinite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

// d half @0; 32 signed bytes @2.
void QuantizeQ8_0(std::span<const float> x, std::byte* block) {
  std::memset(block, 0, InfoOf(WeightType::kQ8_0).block_bytes);
  if (!AllFinite(x)) return StoreHalf(kHalfNaN, block);
  float largest = 0;
  for (const float value : x) largest = std::max(largest, std::fabs(value));
  const uint16_t d = F16FromFloat(largest / 127.0f);
  if (d == 0) return;
  StoreHalf(d, block);
  const float scale = FloatFromF16(d);
  for (size_t i = 0; i < x.size(); ++i) {
    const float code = Nearest(std::clamp(x[i] / scale, -127.0f, 127.0f));
    block[2 + i] = static_cast<std::byte>(static_cast<int8_t>(code));
  }
}

constexpr size_t kSub = 32, kSubs = 8;
constexpr float kCodeMax = 15, kScaleMax = 63;

/// The weights of a sub-block, how much each one's error counts, and the codes they got.
struct SubBlock {
  size_t count = 0;
  std::array<float, kSub> x, importance, codes{};
};

/// x is about scale * code - minimum.
struct Grid {
  float scale = 0;
  float minimum = 0;
};

/// Gives every weight the nearest code of the grid and returns the weighted error.
float Encode(SubBlock& sub, Grid grid) {
  const float inverse = grid.scale > 0 ? 1.0f / grid.scale : 0.0f;
  float error = 0;
  for (size_t i = 0; i < sub.count; ++i) {
    const float code = Nearest(std::clamp((sub.x[i] + grid.minimum) * inverse, 0.0f, kCodeMax));
    const float off = grid.scale * code - grid.minimum - sub.x[i];
    sub.codes[i] = code;
    error += sub.importance[i] * off * off;
  }
  return error;
}

/// The best grid for the codes that the sub-block has; its minimum is not negative.
Grid Refit(const SubBlock& sub) {
  float w = 0, x = 0, q = 0, qq = 0, xq = 0;
  for (size_t i = 0; i < sub.count; ++i) {
    const float weight = sub.importance[i];
    w += weight;
    x += weight * sub.x[i];
    q += weight * sub.codes[i];
    qq += weight * sub.codes[i] * sub.codes[i];
    xq += weight * sub.x[i] * sub.codes[i];
  }
  const float determinant = w * qq - q * q;
  if (!(determinant > 0)) return {};
  const Grid grid{(w * xq - x * q) / determinant, -(qq * x - q * xq) / determinant};
  if (grid.minimum >= 0) return grid;
  return {xq / qq, 0};
}

/// Searches ranges around that of the weights.
Grid FitSubBlock(SubBlock& sub) {
  if (sub.count == 0) return {};
  const auto [low_at, high_at] =
      std::minmax_element(sub.x.begin(), sub.x.begin() + static_cast<ptrdiff_t>(sub.count));
  const float low = std::min(*low_at, 0.0f), range = *high_at - low;
  if (!(range > 0)) return {0, -low};
  Grid best{range / kCodeMax, -low};
  float least = Encode(sub, best);
  for (int step = 0; step <= 20; ++step) {
    Encode(sub, {range / (kCodeMax - 1.0f + 0.1f * static_cast<float>(step)), -low});
    const Grid grid = Refit(sub);
    if (!(grid.scale > 0)) continue;
    const float error = Encode(sub, grid);
    if (error < least) {
      least = error;
      best = grid;
    }
  }
  return best;
}

/// A block under construction: x is about (d * scale) * code - dmin * minimum.
struct Block {
  std::array<SubBlock, kSubs> subs;
  std::array<float, kSubs> scales{}, minimums{};  ///< integers up to 63
  float d = 0, dmin = 0;                          ///< exact halves

  Grid grid(size_t j) const { return {d * scales[j], dmin * minimums[j]}; }
};

float RoundToHalf(float value) { return FloatFromF16(F16FromFloat(value)); }

/// Chooses the 6-bit numbers nearest to the wanted grids or beside them, whichever errs least with
/// the codes that follow. Returns the block's error.
float ChooseScales(Block& block, const std::array<Grid, kSubs>& wanted) {
  float total = 0;
  for (size_t j = 0; j < kSubs; ++j) {
    const auto nearest = [](float value, float unit) {
      return unit > 0 ? Nearest(std::clamp(value / unit, 0.0f, kScaleMax)) : 0.0f;
    };
    const float scale = nearest(wanted[j].scale, block.d),
                minimum = nearest(wanted[j].minimum, block.dmin);
    float least = INFINITY, best_scale = 0, best_minimum = 0;
    for (float s = std::max(scale - 1, 0.0f); s <= std::min(scale + 1, kScaleMax); ++s) {
      for (float m = std::max(minimum - 1, 0.0f); m <= std::min(minimum + 1, kScaleMax); ++m) {
        const float error = Encode(block.subs[j], {block.d * s, block.dmin * m});
        if (error < least) {
          least = error;
          best_scale = s;
          best_minimum = m;
        }
      }
    }
    block.scales[j] = best_scale;
    block.minimums[j] = best_minimum;
    total += Encode(block.subs[j], block.grid(j));
  }
  return total;
}

/// d and dmin that fit best, given all codes and 6-bit numbers.
void RefitBlock(Block& block) {
  float aa = 0, ab = 0, bb = 0, ax = 0, bx = 0;
  for (size_t j = 0; j < kSubs; ++j) {
    const SubBlock& sub = block.subs[j];
    for (size_t i = 0; i < sub.count; ++i) {
      const float a = block.scales[j] * sub.codes[i], b = -block.minimums[j];
      const float weight = sub.importance[i];
      aa += weight * a * a;
      ab += weight * a * b;
      bb += weight * b * b;
      ax += weight * a * sub.x[i];
      bx += weight * b * sub.x[i];
    }
  }
  const float determinant = aa * bb - ab * ab;
  if (!(determinant > 0)) return;
  const float d = (ax * bb - bx * ab) / determinant, dmin = (bx * aa - ax * ab) / determinant;
  if (!(d > 0 && dmin >= 0)) return;
  block.d = RoundToHalf(d);
  block.dmin = RoundToHalf(dmin);
}

Block FitBlock(std::span<const float> x) {
  Block block;
  std::array<Grid, kSubs> wanted;
  Grid largest;
  for (size_t j = 0; j < kSubs; ++j) {
    SubBlock& sub = block.subs[j];
    const size_t first = std::min(j * kSub, x.size());
    sub.count = std::min(kSub, x.size() - first);
    float squares = 0;
    for (size_t i = 0; i < sub.count; ++i) {
      sub.x[i] = x[first + i];
      squares += sub.x[i] * sub.x[i];
    }
    const float rms = sub.count > 0 ? std::sqrt(squares / static_cast<float>(sub.count)) : 0.0f;
    for (size_t i = 0; i < sub.count; ++i) sub.importance[i] = rms + std::fabs(sub.x[i]);
    wanted[j] = FitSubBlock(sub);
    largest.scale = std::max(largest.scale, wanted[j].scale);
    largest.minimum = std::max(largest.minimum, wanted[j].minimum);
  }
  block.d = RoundToHalf(largest.scale / kScaleMax);
  block.dmin = RoundToHalf(largest.minimum / kScaleMax);
  float error = ChooseScales(block, wanted);
  for (int round = 0; round < 3; ++round) {
    Block other = block;
    RefitBlock(other);
    for (size_t j = 0; j < kSubs; ++j) wanted[j] = other.grid(j);
    const float other_error = ChooseScales(other, wanted);
    if (!(other_error < error)) break;
    block = other;
    error = other_error;
  }
  return block;
}

// The layout: weight_blocks.cc.
void QuantizeQ4_K(std::span<const float> x, std::byte* to) {
  std::memset(to, 0, InfoOf(WeightType::kQ4_K).block_bytes);
  if (!AllFinite(x)) return StoreHalf(kHalfNaN, to);
  const Block block = FitBlock(x);
  StoreHalf(F16FromFloat(block.d), to);
  StoreHalf(F16FromFloat(block.dmin), to + 2);
  const auto byte = [](float value) { return static_cast<unsigned>(value); };
  for (size_t j = 0; j < 4; ++j) {
    const unsigned s = byte(block.scales[j]), m = byte(block.minimums[j]),
                   s4 = byte(block.scales[j + 4]), m4 = byte(block.minimums[j + 4]);
    to[4 + j] = static_cast<std::byte>(s | (s4 >> 4) << 6);
    to[8 + j] = static_cast<std::byte>(m | (m4 >> 4) << 6);
    to[12 + j] = static_cast<std::byte>((s4 & 15) | (m4 & 15) << 4);
  }
  for (size_t j = 0; j < kSubs; ++j) {
    for (size_t i = 0; i < kSub; ++i) {
      std::byte& pair = to[16 + 32 * (j / 2) + i];
      pair |= static_cast<std::byte>(byte(block.subs[j].codes[i]) << (4 * (j % 2)));
    }
  }
}

}  // namespace

void QuantizeRow(WeightType type, std::span<const float> row, std::byte* blocks) {
  STATELIB_CHECK(type == WeightType::kQ8_0 || type == WeightType::kQ4_K);
  const WeightTypeInfo info = InfoOf(type);
  for (size_t at = 0; at < row.size(); at += info.block_elements) {
    const auto x = row.subspan(at, std::min(info.block_elements, row.size() - at));
    if (type == WeightType::kQ8_0) {
      QuantizeQ8_0(x, blocks);
    } else {
      QuantizeQ4_K(x, blocks);
    }
    blocks += info.block_bytes;
  }
}

}  // namespace statelib::kernels
