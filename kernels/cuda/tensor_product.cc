// SPDX-License-Identifier: Apache-2.0
// The choice of a kernel, and how the copy engine is told of x.
#include "kernels/cuda/tensor_product.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "kernels/check.h"
#include "kernels/cuda/tensor_boxes.h"

namespace statelib::kernels::cuda {

namespace {

using EncodeTiled = decltype(&cuTensorMapEncodeTiled);

/// From the driver, so that this program starts where there is none.
EncodeTiled FindEncodeTiled() {
  void* found = nullptr;
  cudaDriverEntryPointQueryResult result{};
#if CUDART_VERSION >= 12050
  CheckCuda(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &found, 12000,
                                             cudaEnableDefault, &result),
            "tensor map");
#else
  CheckCuda(cudaGetDriverEntryPoint("cuTensorMapEncodeTiled", &found, cudaEnableDefault, &result),
            "tensor map");
#endif
  if (found == nullptr || result != cudaDriverEntryPointSuccess) {
    throw DeviceError(
        DeviceError::Kind::kUnsupported,
        "[cuda] tensor map: this driver is older than CUDA 12.0; install a newer one");
  }
  return reinterpret_cast<EncodeTiled>(found);
}

template <size_t kRank>
CUtensorMap Encode(CUtensorMapDataType type, const void* data, const cuuint64_t (&extents)[kRank],
                   const cuuint64_t (&strides)[kRank - 1], const cuuint32_t (&box)[kRank],
                   CUtensorMapSwizzle swizzle) {
  static const EncodeTiled encode = FindEncodeTiled();
  cuuint32_t steps[kRank];
  std::fill_n(steps, kRank, 1);
  CUtensorMap boxes;
  const CUresult result =
      encode(&boxes, type, kRank, const_cast<void*>(data), extents, strides, box, steps,
             CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle, CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
             CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (result != CUDA_SUCCESS) {
    throw DeviceError(DeviceError::Kind::kUnsupported,
                      fmt::format("[cuda] tensor map: error {} for {} x {} elements",
                                  static_cast<int>(result), extents[1], extents[0]));
  }
  return boxes;
}

/// A tile's shape, and the time of one step of it on a busy card, as seen on an H100.
struct TileCost {
  TensorTile tile;
  size_t rows, outputs;    // rows: of a cluster
  size_t multiprocessors;  // of a cluster
  double step_ns;
};
constexpr TileCost kTileCosts[] = {{TensorTile::k64x64, 64, 64, 1, 230},
                                   {TensorTile::k128x64, 128, 64, 1, 400},
                                   {TensorTile::k128x128, 256, 128, 2, 525},
                                   {TensorTile::k128x192, 256, 192, 2, 713}};

/// The tile with the shortest time for all waves of tiles.
TensorTile BestTile(const TensorProductArgs& args) {
  const TileCost* best = nullptr;
  double best_ns = 0;
  for (const TileCost& cost : kTileCosts) {
    const size_t tiles = ((args.out.rows + cost.rows - 1) / cost.rows) *
                         ((args.out.cols + cost.outputs - 1) / cost.outputs);
    const size_t at_once = std::max<size_t>(1, args.multiprocessors / cost.multiprocessors);
    const double ns = static_cast<double>((tiles + at_once - 1) / at_once) * cost.step_ns;
    if (best == nullptr || ns < best_ns) {
      best = &cost;
      best_ns = ns;
    }
  }
  return best->tile;
}

void Check(const TensorProductArgs& args) {
  const TensorInput& x = args.x;
  STATELIB_CHECK(x.rows == args.out.rows && x.cols == args.weights.cols() &&
                 args.out.cols == args.weights.rows() && x.rows > 0);
  STATELIB_CHECK(x.stride >= x.cols && args.out.stride >= args.out.cols);
  constexpr size_t kMax = std::numeric_limits<int>::max();
  if (x.rows > kMax || x.cols > kMax || args.out.cols > kMax)
    throw DeviceError(DeviceError::Kind::kUnsupported,
                      "[cuda] tensor product: more than 2^31 - 1 rows, inputs or outputs");
  if (reinterpret_cast<uintptr_t>(x.data) % 16 != 0 || x.stride % 8 != 0) {
    throw DeviceError(
        DeviceError::Kind::kUnsupported,
        fmt::format(
            "[cuda] tensor product: rows of inputs begin on multiples of 16 bytes, got address {} "
            "modulo 16 and a stride of {} elements",
            reinterpret_cast<uintptr_t>(x.data) % 16, x.stride));
  }
  const bool is_known = args.epilogue == Epilogue::kStore || args.epilogue == Epilogue::kAdd ||
                        args.epilogue == Epilogue::kSoftplus;
  if (!is_known) {
    throw DeviceError(
        DeviceError::Kind::kUnsupported,
        "[cuda] tensor product: sums are stored, added, or softplus is taken of them; "
        "they are not scaled, and no other function is");
  }
  if (args.out.is_bf16 && args.epilogue != Epilogue::kStore) {
    throw DeviceError(
        DeviceError::Kind::kUnsupported,
        "[cuda] tensor product: sums are added, or softplus taken, in f32 results, not in bf16");
  }
}

}  // namespace

CUtensorMap BoxesOf(const TensorInput& x, unsigned rows) {
  const cuuint64_t extents[] = {x.cols, x.rows}, strides[] = {x.stride * sizeof(uint16_t)};
  const cuuint32_t box[] = {kTileInputs, rows};
  return Encode(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, x.data, extents, strides, box,
                CU_TENSOR_MAP_SWIZZLE_128B);
}

CUtensorMap BoxesOf(const RowsToCopy& rows, unsigned box_rows, unsigned box_columns) {
  const cuuint64_t extents[] = {rows.columns, rows.rows},
                   strides[] = {rows.stride * (rows.is_bf16 ? sizeof(uint16_t) : sizeof(float))};
  const cuuint32_t box[] = {box_columns, box_rows};
  return Encode(rows.is_bf16 ? CU_TENSOR_MAP_DATA_TYPE_BFLOAT16 : CU_TENSOR_MAP_DATA_TYPE_FLOAT32,
                rows.data, extents, strides, box, CU_TENSOR_MAP_SWIZZLE_NONE);
}

CUtensorMap BoxesOf(const TensorMatrix& weights, unsigned outputs, unsigned tiles) {
  const size_t input_tiles = weights.input_tiles();
  const cuuint64_t extents[] = {kTileInputs, kTileOutputs, input_tiles, weights.output_tiles()};
  const cuuint64_t strides[] = {kTileBytes / kTileOutputs, kTileBytes, input_tiles * kTileBytes};
  const cuuint32_t box[] = {kTileInputs, outputs, 1, tiles};
  return Encode(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, weights.data(), extents, strides, box,
                CU_TENSOR_MAP_SWIZZLE_NONE);
}

void LaunchTensorProduct(const TensorMatrix& weights, const float* bias, const TensorInput& x,
                         Epilogue epilogue, const TensorOutput& out, size_t multiprocessors,
                         cudaStream_t stream) {
  const TensorProductArgs args{weights, bias, x, epilogue, out, multiprocessors, stream};
  Check(args);
  if (x.rows > kTensorFewRows || !LaunchTensorFewRows(args))
    LaunchTensorTiles(args, BestTile(args));
  if (epilogue == Epilogue::kSoftplus) LaunchSoftplus(out, stream);
}

}  // namespace statelib::kernels::cuda
