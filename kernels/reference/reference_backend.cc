// SPDX-License-Identifier: Apache-2.0
// The oracle: every operation as its formula reads, one element at a time. Its order of operations
// is the contract.
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/backends.h"
#include "kernels/check.h"
#include "kernels/exact/interleaved_sum.h"
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
  sum = epilogue.scale * sum;
  if (epilogue.activation == Activation::kSoftplus) sum = exact::Softplus(sum);
  if (epilogue.activation == Activation::kSilu) sum = exact::Silu(sum);
  return epilogue.add ? before + sum : sum;
}

float SumOfSquares(const float* x, size_t count) {
  return exact::InterleavedSum(count,
                               [x](float sum, size_t i) { return std::fma(x[i], x[i], sum); });
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
    for (const SequenceEntry& sequence : HostEntries(args.sequences)) {
      KeepOpenRows(sequence, args.x, 0, args.x.cols, args.kept);
      for (size_t e = 0; e < args.x.cols; ++e) ConvolveChannel(args, sequence, e);
    }
  }

  void SelectiveScan(const SelectiveScanArgs& args) override {
    const size_t channels = args.x.cols, states = args.b.cols;
    const KeptScanInputs kept(args.sequences, args.kept, channels, channels);
    for (const SequenceEntry& sequence : HostEntries(args.sequences)) {
      OpenState state(StateOf(sequence, args.state), states * channels);
      const auto step = [&](size_t e, float dt, float x, const float* b) {
        for (size_t n = 0; n < states; ++n) {
          float& s = state.data()[n * channels + e];
          s = std::fma(exact::Exp(dt * args.a[n * channels + e]), s, (dt * x) * b[n]);
        }
      };
      for (size_t i = 0; i < sequence.kept_rows; ++i) {
        for (size_t e = 0; e < channels; ++e)
          step(e, KeptBefore(sequence, kept.dt)[i * channels + e],
               KeptBefore(sequence, kept.x)[i * channels + e],
               KeptBefore(sequence, kept.b) + i * states);
      }
      KeepOpenRows(sequence, args.dt, 0, channels, kept.dt);
      KeepOpenRows(sequence, args.x, 0, channels, kept.x);
      KeepOpenRows(sequence, args.b, 0, states, kept.b);
      for (size_t i = 0; i < sequence.row_count; ++i) {
        if (i == SettledRows(sequence)) state.LeaveAsItIs();
        const size_t t = sequence.first_row + i;
        const float* c = args.c.f32() + t * args.c.stride;
        for (size_t e = 0; e < channels; ++e) {
          const float x = args.x.f32()[t * args.x.stride + e];
          step(e, args.dt.f32()[t * args.dt.stride + e], x, args.b.f32() + t * args.b.stride);
          float y = args.d[e] * x;
          for (size_t n = 0; n < states; ++n) y = std::fma(state.data()[n * channels + e], c[n], y);
          args.y.f32()[t * args.y.stride + e] =
              y * exact::Silu(args.z.f32()[t * args.z.stride + e]);
        }
      }
    }
  }

  void Mamba2Scan(const Mamba2ScanArgs& args) override {
    for (const SequenceEntry& sequence : HostEntries(args.sequences)) ScanSequence(args, sequence);
  }

 private:
  /// A state that is advanced in place until it is to be left as it is; then a copy of it.
  class OpenState {
   public:
    OpenState(float* state, size_t count) : data_(state), count_(count) {}
    float* data() { return data_; }
    void LeaveAsItIs() {
      copy_.assign(data_, data_ + count_);
      data_ = copy_.data();
    }

   private:
    float* data_;
    size_t count_;
    std::vector<float> copy_;
  };

  /// One channel of one sequence: over the saved inputs, those that were kept, and the new ones.
  static void ConvolveChannel(const CausalConvArgs& args, const SequenceEntry& sequence, size_t e) {
    const size_t channels = args.x.cols;
    float* const state = StateOf(sequence, args.state);
    std::vector<float> inputs;
    for (size_t j = 0; j + 1 < args.kernel; ++j) inputs.push_back(state[j * channels + e]);
    for (size_t i = 0; i < sequence.kept_rows; ++i)
      inputs.push_back(KeptBefore(sequence, args.kept)[i * channels + e]);
    for (size_t t = 0; t < sequence.row_count; ++t)
      inputs.push_back(args.x.f32()[(sequence.first_row + t) * args.x.stride + e]);
    for (size_t t = 0; t < sequence.row_count; ++t) {
      float sum = args.bias[e];
      for (size_t j = 0; j < args.kernel; ++j)
        sum = std::fma(args.weight[j * channels + e], inputs[sequence.kept_rows + t + j], sum);
      args.out.f32()[(sequence.first_row + t) * args.out.stride + e] = exact::Silu(sum);
    }
    for (size_t j = 0; j + 1 < args.kernel; ++j)
      state[j * channels + e] = inputs[sequence.kept_rows + SettledRows(sequence) + j];
  }

  void ScanSequence(const Mamba2ScanArgs& args, const SequenceEntry& sequence) {
    const size_t heads = args.dt_raw.cols, channels = args.x.cols / heads;
    const size_t all_states = args.b.cols, states = all_states / args.groups;
    const KeptScanInputs kept(args.sequences, args.kept, heads, args.x.cols);
    OpenState state(StateOf(sequence, args.state), args.x.cols * states);
    // One step of head h; b: its group's.
    const auto step = [&](size_t h, float dt, const float* x, const float* b) {
      const float decay = exact::Exp(dt * args.a[h]);
      for (size_t n = 0; n < states; ++n) {
        for (size_t p = 0; p < channels; ++p) {
          float& s = state.data()[(h * states + n) * channels + p];
          s = std::fma(decay, s, (dt * x[h * channels + p]) * b[n]);
        }
      }
    };
    const auto group = [&](size_t h) { return h / (heads / args.groups) * states; };
    for (size_t i = 0; i < sequence.kept_rows; ++i) {
      for (size_t h = 0; h < heads; ++h)
        step(h, KeptBefore(sequence, kept.dt)[i * heads + h],
             KeptBefore(sequence, kept.x) + i * args.x.cols,
             KeptBefore(sequence, kept.b) + i * all_states + group(h));
    }
    std::vector<float> steps(sequence.row_count * heads);
    const ConstRows raw{args.dt_raw.f32() + sequence.first_row * args.dt_raw.stride,
                        sequence.row_count, heads, args.dt_raw.stride};
    Mamba2ScanArgs of_sequence = args;
    of_sequence.dt_raw = raw;
    TimeSteps(of_sequence, {steps.data(), sequence.row_count, heads, heads});
    if (sequence.open_rows > 0)
      std::copy_n(steps.data() + SettledRows(sequence) * heads, sequence.open_rows * heads,
                  KeptNow(sequence, kept.dt));
    KeepOpenRows(sequence, args.x, 0, args.x.cols, kept.x);
    KeepOpenRows(sequence, args.b, 0, all_states, kept.b);
    for (size_t i = 0; i < sequence.row_count; ++i) {
      if (i == SettledRows(sequence)) state.LeaveAsItIs();
      const size_t t = sequence.first_row + i;
      const float* x = args.x.f32() + t * args.x.stride;
      for (size_t h = 0; h < heads; ++h) {
        step(h, steps[i * heads + h], x, args.b.f32() + t * args.b.stride + group(h));
        const float* const c = args.c.f32() + t * args.c.stride + group(h);
        for (size_t e = h * channels; e < (h + 1) * channels; ++e) {
          float y = args.d == nullptr ? 0.0f : args.d[e] * x[e];
          for (size_t n = 0; n < states; ++n)
            y = std::fma(state.data()[(h * states + n) * channels + e - h * channels], c[n], y);
          if (args.z.data != nullptr) y *= exact::Silu(args.z.f32()[t * args.z.stride + e]);
          args.y.f32()[t * args.y.stride + e] = y;
        }
      }
    }
  }
};

}  // namespace

std::unique_ptr<Backend> MakeReferenceBackend() { return std::make_unique<ReferenceBackend>(); }

}  // namespace statelib::kernels
