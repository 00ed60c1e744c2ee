// SPDX-License-Identifier: Apache-2.0
// Matrix products on packed panels of f32, of bf16 that counts as f32, and of pairs of bf16: the
// lanes are outputs, so each output sums over its inputs in plain order by fused multiply-adds,
// whatever the number of rows. A tile of rows by panels lives in registers; inputs are walked in
// blocks that fit the nearest caches, and a block goes on from the stored partial sum, which is the
// same chain of operations.
#if defined(STATELIB_KERNELS_CPU_MATMUL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef STATELIB_KERNELS_CPU_MATMUL_INL_H_
#undef STATELIB_KERNELS_CPU_MATMUL_INL_H_
#else
#define STATELIB_KERNELS_CPU_MATMUL_INL_H_
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <type_traits>
#include <utility>

#include "kernels/cpu/dot-inl.h"
#include "kernels/cpu/math-inl.h"
#include "kernels/cpu/packed_matrix.h"
#include "kernels/cpu/prepared_input-inl.h"
#include "kernels/cpu/store_sums-inl.h"

HWY_BEFORE_NAMESPACE();
namespace statelib::kernels::STATELIB_TARGET {

inline constexpr size_t kPanelVectors = kPanelWidth / kLanes;
// The largest tile, by the number of vector registers: 32 (12 x 2 sums of 16 lanes; 6 x 4 of 4) or
// 16 (6 x 2 of 8).
inline constexpr size_t kTileRows = kLanes == 16 ? 12 : 6;
inline constexpr size_t kTileVectors = kLanes == 8 ? 12 : 24;
inline constexpr size_t kPanelsMax = 8;
// Inputs a block of a tile: 256 x 32 outputs x 4 bytes = 32 kB of weights.
inline constexpr size_t kTileInputs = 256;

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

HWY_INLINE VU LoadWeights(const uint32_t* from) { return hn::LoadU(DU(), from); }

/// One step of a chain: an input, or a pair of them, times the weights of a vector of outputs.
HWY_INLINE VF Broadcast(float x) { return hn::Set(DF(), x); }
HWY_INLINE VU Broadcast(uint32_t pair) { return hn::Set(DU(), pair); }
HWY_INLINE VF Step(VF weights, VF x, VF sum) { return hn::MulAdd(weights, x, sum); }
HWY_INLINE VF Step(VU weights, VU pair, VF sum) { return DotPairs(sum, weights, pair); }

/// What is multiplied with weights of type T: a pair of bf16 (uint32_t) with a pair, else an f32.
template <typename T>
using InputOf = std::conditional_t<std::is_same_v<T, uint32_t>, uint32_t, float>;

/// The partial sums of a tile, [rows][panels * 16], and where its weights and inputs lie.
template <typename T>
struct TileArgs {
  const T* weights;  // the first panel at its first input of this block
  const T* next;     // where the tile after this one will begin
  size_t panel_stride;
  const InputOf<T>* x;
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
  const InputOf<T>* x[kRows];
  HWY_UNROLL(16)
  for (size_t t = 0; t < kRows; ++t) x[t] = args.x + t * args.x_stride;
  for (size_t k = 0; k < args.inputs; ++k) {
    decltype(LoadWeights(args.weights)) weights[kVectors];
    HWY_UNROLL(16)
    for (size_t v = 0; v < kVectors; ++v) {
      const size_t at =
          v / kPanelVectors * args.panel_stride + k * kPanelWidth + v % kPanelVectors * kLanes;
      weights[v] = LoadWeights(args.weights + at);
      PrefetchAhead(args.next + at);
    }
    HWY_UNROLL(16)
    for (size_t t = 0; t < kRows; ++t) {
      const auto input = Broadcast(x[t][k]);
      HWY_UNROLL(16)
      for (size_t v = 0; v < kVectors; ++v) sums[t][v] = Step(weights[v], input, sums[t][v]);
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

/// The tile of so many rows by 2^kLog panels, where its sums fit the registers.
template <typename T, size_t kRows, size_t kLog>
constexpr TileFunction<T> TileOf() {
  if constexpr ((size_t{1} << kLog) <= PanelsFor(kRows)) return &Tile<kRows, size_t{1} << kLog, T>;
  return nullptr;
}

/// Every tile, by rows - 1 and the logarithm of its panels.
template <typename T, size_t... kRowsLessOne>
constexpr auto AllTiles(std::index_sequence<kRowsLessOne...>) {
  return std::array<std::array<TileFunction<T>, 4>, sizeof...(kRowsLessOne)>{
      {{TileOf<T, kRowsLessOne + 1, 0>(), TileOf<T, kRowsLessOne + 1, 1>(),
        TileOf<T, kRowsLessOne + 1, 2>(), TileOf<T, kRowsLessOne + 1, 3>()}...}};
}

/// All rows of `out` (at most kRowsMax) times some panels. x: [out.rows][inputs].
template <typename T>
void MatMulPanels(const PackedMatrix& matrix, size_t inputs, const InputOf<T>* x, size_t x_stride,
                  const float* bias, Epilogue epilogue, Rows out, Part panels) {
  static constexpr auto kTiles = AllTiles<T>(std::make_index_sequence<kTileRows>());
  HWY_ALIGN float sums[kRowsMax * 2 * kPanelWidth > kPanelsMax * kPanelWidth * kTileRows
                           ? kRowsMax * 2 * kPanelWidth
                           : kPanelsMax * kPanelWidth * kTileRows];
  // Tiles of about equal height; one group of panels serves all rows.
  const size_t tiles = (out.rows + kTileRows - 1) / kTileRows;
  const size_t height = (out.rows + tiles - 1) / tiles;
  for (size_t p = panels.begin; p < panels.end;) {
    const size_t count = std::bit_floor(std::min(PanelsFor(height), panels.end - p));
    const size_t stride = count * kPanelWidth;
    std::fill_n(sums, out.rows * stride, 0.0f);
    for (size_t k = 0; k < inputs; k += kTileInputs) {
      for (size_t t = 0; t < out.rows; t += height) {
        const size_t rows = std::min(height, out.rows - t);
        const T* weights = matrix.panel<T>(p) + k * kPanelWidth;
        // The first rows bring the next tile's weights near; for the others, what is there already.
        const T* next = t > 0                      ? weights
                        : k + kTileInputs < inputs ? weights + kTileInputs * kPanelWidth
                                                   : matrix.panel<T>(p) + stride * inputs;
        kTiles[rows - 1][std::countr_zero(count)](
            {weights, next, inputs * kPanelWidth, x + t * x_stride + k, x_stride,
             std::min(kTileInputs, inputs - k), sums + t * stride, stride});
      }
    }
    const size_t first = p * kPanelWidth;
    StoreSums(sums, stride, bias, epilogue, out, first, std::min(first + stride, matrix.rows()));
    p += count;
  }
}

/// Products of plain types, for at most kRowsMax rows.
void MatMulPlain(const PackedMatrix& matrix, const float* bias, ConstRows x, Epilogue epilogue,
                 Rows out, Part panels, std::byte* prepared) {
  if (matrix.kind() == PackedKind::kF32) {
    return MatMulPanels<float>(matrix, x.cols, x.f32(), x.stride, bias, epilogue, out, panels);
  }
  if (matrix.kind() == PackedKind::kBF16) {
    return MatMulPanels<uint16_t>(matrix, x.cols, x.f32(), x.stride, bias, epilogue, out, panels);
  }
  const size_t pairs = (x.cols + 1) / 2;
  MatMulPanels<uint32_t>(matrix, pairs, reinterpret_cast<const uint32_t*>(prepared), pairs, bias,
                         epilogue, out, panels);
}

}  // namespace statelib::kernels::STATELIB_TARGET
HWY_AFTER_NAMESPACE();

#endif
