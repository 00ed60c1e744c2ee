// SPDX-License-Identifier: Apache-2.0
#include "kernels/host_backend.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/check.h"
#include "kernels/exact/interleaved_sum.h"
#include "kernels/exact/math.h"

namespace statelib::kernels {

void HostBackend::CopyBytes(const std::byte* from, std::byte* to, size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}

void HostBackend::ZeroBytes(std::byte* to, size_t bytes) {
  if (bytes > 0) std::memset(to, 0, bytes);
}

void HostBackend::RmsNormLast(ConstRows x, const float* weight, float epsilon,
                              const SequenceTable& sequences, size_t state, size_t kept) {
  const size_t width = x.cols;
  for (const SequenceEntry& sequence : HostEntries(sequences)) {
    float* const to = StateOf(sequence, state);
    const size_t settled = SettledRows(sequence);
    const float* const first = x.f32() + sequence.first_row * x.stride;
    if (settled > 0) {
      RmsNorm({first + (settled - 1) * x.stride, 1, width, width}, weight, epsilon,
              {to, 1, width, width});
    } else if (sequence.kept_rows > 0) {
      const float* const right = KeptBefore(sequence, kept) + (sequence.kept_rows - 1) * width;
      std::copy_n(right, width, to);
    }
    if (sequence.open_rows > 0) {
      RmsNorm({first + settled * x.stride, sequence.open_rows, width, x.stride}, weight, epsilon,
              {KeptNow(sequence, kept), sequence.open_rows, width, width});
    }
  }
}

void HostBackend::GatherState(const SequenceTable& sequences, size_t state, Rows out) {
  size_t row = 0;
  for (const SequenceEntry& sequence : HostEntries(sequences))
    std::memcpy(out.f32() + row++ * out.stride, StateOf(sequence, state), out.cols * sizeof(float));
}

void HostBackend::Gate(ConstRows x, ConstRows z, Rows out) {
  STATELIB_CHECK(x.cols == z.cols && x.cols == out.cols);
  for (size_t t = 0; t < out.rows; ++t) {
    const float* const from = x.f32() + t * x.stride;
    const float* const gate = z.f32() + t * z.stride;
    float* const to = out.f32() + t * out.stride;
    for (size_t i = 0; i < out.cols; ++i) to[i] = from[i] * exact::Silu(gate[i]);
  }
}

void HostBackend::AddScaled(ConstRows x, float scale, Rows out) {
  STATELIB_CHECK(x.cols == out.cols && x.rows == out.rows);
  for (size_t t = 0; t < out.rows; ++t) {
    const float* const from = x.f32() + t * x.stride;
    float* const to = out.f32() + t * out.stride;
    for (size_t i = 0; i < out.cols; ++i) to[i] += scale * from[i];
  }
}

void HostBackend::LayerNorm(ConstRows x, const float* weight, const float* bias, float epsilon,
                            Rows out) {
  STATELIB_CHECK(x.cols == out.cols && x.rows == out.rows);
  const auto count = static_cast<float>(x.cols);
  for (size_t t = 0; t < x.rows; ++t) {
    const float* const from = x.f32() + t * x.stride;
    float* const to = out.f32() + t * out.stride;
    const float mean =
        exact::InterleavedSum(x.cols, [&](float sum, size_t i) { return sum + from[i]; }) / count;
    const float variance = exact::InterleavedSum(x.cols,
                                                 [&](float sum, size_t i) {
                                                   const float apart = from[i] - mean;
                                                   return sum + apart * apart;
                                                 }) /
                           count;
    const float scale = 1.0f / std::sqrt(variance + epsilon);
    for (size_t i = 0; i < x.cols; ++i)
      to[i] = std::fma((from[i] - mean) * scale, weight[i], bias[i]);
  }
}

void HostBackend::TimeSteps(const Mamba2ScanArgs& args, Rows out) {
  for (size_t t = 0; t < out.rows; ++t) {
    for (size_t h = 0; h < out.cols; ++h) {
      const float raw = args.dt_raw.f32()[t * args.dt_raw.stride + h];
      const float dt = exact::Softplus(raw + args.dt_bias[h]);
      out.f32()[t * out.stride + h] = std::min(std::max(dt, args.dt_min), args.dt_max);
    }
  }
}

void HostBackend::Decays(ConstRows dt, const float* a, size_t states, Rows out) {
  STATELIB_CHECK(out.cols == states * dt.cols && out.rows == dt.rows);
  for (size_t t = 0; t < dt.rows; ++t) {
    const float* const step = dt.f32() + t * dt.stride;
    float* const to = out.f32() + t * out.stride;
    for (size_t i = 0; i < out.cols; ++i) to[i] = exact::Exp(step[i % dt.cols] * a[i]);
  }
}

}  // namespace statelib::kernels
