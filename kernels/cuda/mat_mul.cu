// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/mat_mul.cuh"

#include "kernels/cuda/launches.h"

namespace statelib::kernels::cuda {

void LaunchMatMul(const DeviceMatrix& weights, const float* bias, ConstRows x, Epilogue epilogue,
                  Rows out, size_t multiprocessors) {
  MatMulArgs args{};
  args.weights = reinterpret_cast<const uint4*>(weights.data());
  args.vectors = weights.vectors();
  args.panels = static_cast<unsigned>(weights.panels());
  args.bias = bias;
  args.x = x.f32();
  args.x_stride = x.stride;
  args.x_is_aligned =
      reinterpret_cast<uintptr_t>(x.f32()) % 16 == 0 && x.stride % 4 == 0 && x.cols % 4 == 0;
  args.out = out.f32();
  args.out_stride = out.stride;
  args.rows = static_cast<unsigned>(x.rows);
  args.inputs = static_cast<unsigned>(x.cols);
  args.outputs = static_cast<unsigned>(out.cols);
  args.epilogue = epilogue;
  if (x.rows <= kFewRows) {
    LaunchFewRows(weights.type(), args);
  } else {
    LaunchTiles(weights.type(), args, multiprocessors);
  }
}

}  // namespace statelib::kernels::cuda
