// SPDX-License-Identifier: Apache-2.0
// The oracle: every operation as its formula reads, one element at a time. Its order of operations
// is the contract.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "kernels/backends.h"
#include "kernels/check.h"
#include "kernels/exact/math.h"
#include "kernels/flush_subnormals.h"
#include "kernels/host_backend.h"
#include "kernels/host_sequences.h"
#include "kernels/reference/reference_matrix.h"

namespace statelib::kernels {

namespace {

const ReferenceMatrix& Own(const Matrix& matrix) {
  return static_cast<const ReferenceMatrix&>(matrix);
}

float Finish(float sum, float before, Epilogue epilogue) {
  switch (epilogue) {
    case Epilogue::kStore:
      return sum;
    case Epilogue::kAdd:
      return before + sum;
    case Epilogue::kSoftplus:
      return exact::Softplus(sum);
  }
  return sum;
}

/// The sum of squares in the order that every backend follows: 16 interleaved sums, then halves
/// onto halves.
float SumOfSquares(const float* x, size_t count) {
  std::array<float, 16> lanes{};
  for (size_t i = 0; i < count; ++i) lanes[i % 16] = std::fma(x[i], x[i], lanes[i % 16]);
  for (size_t half = 8; half > 0; half /= 2) {
    for (size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

class ReferenceBackend : public HostBackend {
 public:
  std::string name() const override { return "reference"; }

  std::unique_ptr<Matrix> Pack(const WeightView& weights, WeightFormat format) override {
    return std::make_unique<ReferenceMatrix>(weights, format);
  }

  void Embed(const Matrix& table, const int32_t* ids, Rows out) override {
    for (size_t t = 0; t < out.rows; ++t) {
      std::copy_n(Own(table).row(static_cast<size_t>(ids[t])), table.cols(),
                  out.f32() + t * out.stride);
    }
  }

  void RmsNorm(ConstRows x, const float* weight, float epsilon, Rows out) override {
    for (size_t t = 0; t < x.rows; ++t) {
      const float* from = x.f32() + t * x.stride;
      float* to = out.f32() + t * out.stride;
      const float mean = SumOfSquares(from, x.cols) / static_cast<float>(x.cols);
      const float scale = 1.0f / std::sqrt(mean + epsilon);
      for (size_t i = 0; i < x.cols; ++i) to[i] = (from[i] * scale) * weight[i];
    }
  }

  void MatMul(const Matrix& weights, const float* bias, ConstRows x, Epilogue epilogue,
              Rows out) override {
    STATELIB_CHECK(x.cols == weights.cols() && out.cols == weights.rows() && x.rows == out.rows);
    const ReferenceMatrix& matrix = Own(weights);
    const auto flush = matrix.flushes() ? std::make_unique<FlushSubnormals>() : nullptr;
    std::vector<float> sums(weights.rows());
    for (size_t t = 0; t < x.rows; ++t) {
      matrix.Multiply(x.f32() + t * x.stride, sums.data());
      for (size_t o = 0; o < weights.rows(); ++o) {
        float sum = sums[o];
        if (bias != nullptr) sum += bias[o];
        float& result = out.f32()[t * out.stride + o];
        result = Finish(sum, result, epilogue);
      }
    }
  }

  void CausalConv(const CausalConvArgs& args) override {
    const size_t channels = args.x.cols;
    for (const SequenceEntry& sequence : HostEntries(args.sequences)) {
      float* const state = StateOf(sequence, args.state);
      for (size_t e = 0; e < channels; ++e) {
        // The window of this channel over the saved inputs and the new ones.
        std::vector<float> window(args.kernel - 1 + sequence.row_count);
        for (size_t j = 0; j + 1 < args.kernel; ++j) window[j] = state[j * channels + e];
        for (size_t t = 0; t < sequence.row_count; ++t) {
          window[args.kernel - 1 + t] = args.x.f32()[(sequence.first_row + t) * args.x.stride + e];
        }
        for (size_t t = 0; t < sequence.row_count; ++t) {
          float sum = args.bias[e];
          for (size_t j = 0; j < args.kernel; ++j)
            sum = std::fma(args.weight[j * channels + e], window[t + j], sum);
          args.out.f32()[(sequence.first_row + t) * args.out.stride + e] = exact::Silu(sum);
        }
        for (size_t j = 0; j + 1 < args.kernel; ++j) {
          state[j * channels + e] = window[sequence.row_count + j];
        }
      }
    }
  }

  void SelectiveScan(const SelectiveScanArgs& args) override {
    const size_t channels = args.x.cols, states = args.b.cols;
    for (const SequenceEntry& sequence : HostEntries(args.sequences)) {
      float* const state = StateOf(sequence, args.state);
      for (size_t t = sequence.first_row; t < sequence.first_row + sequence.row_count; ++t) {
        const float* b = args.b.f32() + t * args.b.stride;
        const float* c = args.c.f32() + t * args.c.stride;
        for (size_t e = 0; e < channels; ++e) {
          const float x = args.x.f32()[t * args.x.stride + e];
          const float dt = args.dt.f32()[t * args.dt.stride + e];
          const float z = args.z.f32()[t * args.z.stride + e];
          float y = args.d[e] * x;
          for (size_t n = 0; n < states; ++n) {
            float& s = state[n * channels + e];
            s = std::fma(exact::Exp(dt * args.a[n * channels + e]), s, (dt * x) * b[n]);
            y = std::fma(s, c[n], y);
          }
          args.y.f32()[t * args.y.stride + e] = y * exact::Silu(z);
        }
      }
    }
  }

  void Mamba2Scan(const Mamba2ScanArgs& args) override {
    const size_t heads = args.dt_raw.cols, channels = args.x.cols / heads;
    const size_t states = args.b.cols / args.groups;
    for (const SequenceEntry& sequence : HostEntries(args.sequences)) {
      float* const state = StateOf(sequence, args.state);
      for (size_t t = sequence.first_row; t < sequence.first_row + sequence.row_count; ++t) {
        for (size_t h = 0; h < heads; ++h) {
          const size_t group = h / (heads / args.groups);
          const float* b = args.b.f32() + t * args.b.stride + group * states;
          const float* c = args.c.f32() + t * args.c.stride + group * states;
          float dt =
              exact::Softplus(args.dt_raw.f32()[t * args.dt_raw.stride + h] + args.dt_bias[h]);
          dt = std::min(std::max(dt, args.dt_min), args.dt_max);
          const float decay = exact::Exp(dt * args.a[h]);
          for (size_t e = h * channels; e < (h + 1) * channels; ++e) {
            const float x = args.x.f32()[t * args.x.stride + e];
            float y = args.d[e] * x;
            for (size_t n = 0; n < states; ++n) {
              float& s = state[(h * states + n) * channels + (e - h * channels)];
              s = std::fma(decay, s, (dt * x) * b[n]);
              y = std::fma(s, c[n], y);
            }
            args.y.f32()[t * args.y.stride + e] =
                y * exact::Silu(args.z.f32()[t * args.z.stride + e]);
          }
        }
      }
    }
  }
};

}  // namespace

std::unique_ptr<Backend> MakeReferenceBackend() { return std::make_unique<ReferenceBackend>(); }

}  // namespace statelib::kernels
