// SPDX-License-Identifier: Apache-2.0
// Matrix products on packed panels: the lanes are outputs, so each output sums over its inputs in
// plain order by fused multiply-adds, whatever the number of rows. A tile of rows by panels lives
// in registers; inputs are walked in blocks that fit the nearest caches, and a block goes on from
// the stored partial sum, which is the same chain of operations.
#if defined(STATELIB_KERNELS_CPU_MATMUL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STATELIB_KERNELS_CPU_MATMUL_INL_H_
#undef STATELIB_KERNELS_CPU_MATMUL_INL_H_
#else
#define STATELIB_KERNELS_CPU_MATMUL_INL_H_
#endif

#include <algorithm>
#include <array>
#include <utility>

#include "kernels/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace statelib::kernels::HWY_NAMESPACE {

inline constexpr size_t kPanelVectors = kPanelWidth / kLanes;
// The largest tile, by the number of vector registers: 32 (12 x 2 sums of 16 lanes; 6 x 4 of 4) or
// 16 (6 x 2 of 8).
inline constexpr size_t kTileRows = kLanes == 16 ? 12 : 6;
inline constexpr size_t kTileVectors = kLanes == 8 ? 12 : 24;
inline constexpr size_t kPanelsMax = 8;
// Inputs a block: 256 x 32 outputs x 4 bytes = 32 kB of weights.
inline constexpr size_t kBlockInputs = 256;

/// How many panels a tile of `rows` rows takes.
constexpr size_t PanelsFor(size_t rows) {
  size_t panels = kPanelsMax;
  while (panels > 1 && rows * panels * kPanelVectors > kTileVectors) panels /= 2;
  return panels;
}

HWY_INLINE VF LoadWeights(const float* from) { return hn::LoadU(DF(), from); }
HWY_INLINE VF LoadWeights(const uint16_t* from) {
  const DF d;
  const hn::RebindToUnsigned<DF> d32;
  const hn::Rebind<uint16_t, DF> d16;
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(d32, hn::LoadU(d16, from))));
}

/// The partial sums of a tile, [rows][panels * 16], and where its weights and inputs lie.
template <typename T>
struct TileArgs {
  const T* weights;  // the first panel at its first input of this block
  size_t panel_stride;
  const float* x;
  size_t x_stride;
  size_t inputs;
  float* sums;
  size_t sums_stride;
};

/// Adds a block of inputs to a tile's sums.
template <size_t kRows, size_t kPanels, typename T>
HWY_NOINLINE void Tile(const TileArgs<T>& args) {
  const DF d;
  constexpr size_t kVectors = kPanels * kPanelVectors;
  VF sums[kRows][kVectors];
  HWY_UNROLL(16)
  for (size_t t = 0; t < kRows; ++t) {
    HWY_UNROLL(16)
    for (size_t v = 0; v < kVectors; ++v)
      sums[t][v] = hn::LoadU(d, args.sums + t * args.sums_stride + v * kLanes);
  }
  const float* x[kRows];
  HWY_UNROLL(16)
  for (size_t t = 0; t < kRows; ++t) x[t] = args.x + t * args.x_stride;
  for (size_t k = 0; k < args.inputs; ++k) {
    VF weights[kVectors];
    HWY_UNROLL(16)
    for (size_t v = 0; v < kVectors; ++v) {
      weights[v] = LoadWeights(args.weights + v / kPanelVectors * args.panel_stride +
                               k * kPanelWidth + v % kPanelVectors * kLanes);
    }
    HWY_UNROLL(16)
    for (size_t t = 0; t < kRows; ++t) {
      const VF input = hn::Set(d, x[t][k]);
      HWY_UNROLL(16)
      for (size_t v = 0; v < kVectors; ++v) sums[t][v] = hn::MulAdd(weights[v], input, sums[t][v]);
    }
  }
  HWY_UNROLL(16)
  for (size_t t = 0; t < kRows; ++t) {
    HWY_UNROLL(16)
    for (size_t v = 0; v < kVectors; ++v)
      hn::StoreU(sums[t][v], d, args.sums + t * args.sums_stride + v * kLanes);
  }
}

template <typename T>
using TileFunction = void (*)(const TileArgs<T>&);

/// Tiles by rows - 1: of PanelsFor(rows) panels, and of one panel for what is left over.
template <typename T, size_t... kRowsLessOne>
constexpr auto WideTiles(std::index_sequence<kRowsLessOne...>) {
  return std::array<TileFunction<T>, sizeof...(kRowsLessOne)>{
      &Tile<kRowsLessOne + 1, PanelsFor(kRowsLessOne + 1), T>...};
}
template <typename T, size_t... kRowsLessOne>
constexpr auto NarrowTiles(std::index_sequence<kRowsLessOne...>) {
  return std::array<TileFunction<T>, sizeof...(kRowsLessOne)>{&Tile<kRowsLessOne + 1, 1, T>...};
}

/// The finished sums of some panels go through bias and epilogue into `out`.
HWY_INLINE void StoreSums(const float* sums, size_t sums_stride, const float* bias,
                          Epilogue epilogue, Rows out, size_t first, size_t last) {
  for (size_t t = 0; t < out.rows; ++t) {
    float* to = out.data + t * out.stride;
    const float* from = sums + t * sums_stride;
    ForEachVector(first, last, [&](size_t o, const auto& load, const auto& store) HWY_ATTR {
      VF sum = load(from + (o - first));
      if (bias != nullptr) sum = hn::Add(sum, load(bias + o));
      if (epilogue == Epilogue::kAdd) sum = hn::Add(load(to + o), sum);
      if (epilogue == Epilogue::kSoftplus) sum = Softplus(sum);
      store(sum, to + o);
    });
  }
}

/// Rows that share one pass over the weights; a multiple of every tile's rows keeps full tiles.
inline constexpr size_t kRowsMax = 192;

/// All rows (at most kRowsMax) times some panels.
template <typename T>
void MatMulPanels(const PackedMatrix& matrix, const float* bias, ConstRows x, Epilogue epilogue,
                  Rows out, Part panels) {
  constexpr auto kRowCounts = std::make_index_sequence<kTileRows>();
  static constexpr auto kWide = WideTiles<T>(kRowCounts);
  static constexpr auto kNarrow = NarrowTiles<T>(kRowCounts);
  HWY_ALIGN float sums[kRowsMax * 2 * kPanelWidth > kPanelsMax * kPanelWidth * kTileRows
                           ? kRowsMax * 2 * kPanelWidth
                           : kPanelsMax * kPanelWidth * kTileRows];
  const size_t inputs = matrix.cols();
  // One group of panels serves all rows, so its width follows the widest tile of rows.
  const size_t group = PanelsFor(std::min(x.rows, kTileRows));
  for (size_t p = panels.begin; p < panels.end;) {
    const bool wide = p + group <= panels.end;
    const size_t count = wide ? group : 1;
    const size_t stride = count * kPanelWidth;
    std::fill_n(sums, x.rows * stride, 0.0f);
    for (size_t k = 0; k < inputs; k += kBlockInputs) {
      for (size_t t = 0; t < x.rows; t += kTileRows) {
        const size_t rows = std::min(kTileRows, x.rows - t);
        TileArgs<T> args{matrix.panel<T>(p) + k * kPanelWidth,
                         inputs * kPanelWidth,
                         x.data + t * x.stride + k,
                         x.stride,
                         std::min(kBlockInputs, inputs - k),
                         sums + t * stride,
                         stride};
        if (wide && PanelsFor(rows) == group) {
          kWide[rows - 1](args);
          continue;
        }
        for (size_t panel = 0; panel < count; ++panel) {
          kNarrow[rows - 1](args);
          args.weights += args.panel_stride;
          args.sums += kPanelWidth;
        }
      }
    }
    const size_t first = p * kPanelWidth;
    StoreSums(sums, stride, bias, epilogue, out, first, std::min(first + stride, matrix.rows()));
    p += count;
  }
}

void MatMul(const PackedMatrix& matrix, const float* bias, ConstRows x, Epilogue epilogue, Rows out,
            Part panels) {
  for (size_t t = 0; t < x.rows; t += kRowsMax) {
    const size_t rows = std::min(kRowsMax, x.rows - t);
    const ConstRows x_part(x.data + t * x.stride, rows, x.cols, x.stride);
    const Rows out_part{out.data + t * out.stride, rows, out.cols, out.stride};
    if (matrix.is_bf16()) {
      MatMulPanels<uint16_t>(matrix, bias, x_part, epilogue, out_part, panels);
    } else {
      MatMulPanels<float>(matrix, bias, x_part, epilogue, out_part, panels);
    }
  }
}

}  // namespace statelib::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
