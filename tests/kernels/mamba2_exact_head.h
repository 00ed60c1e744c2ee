// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_KERNELS_MAMBA2_EXACT_HEAD_H_
#define STATELIB_TESTS_KERNELS_MAMBA2_EXACT_HEAD_H_

#include <bit>
#include <cmath>
#include <vector>

#include "kernels/cuda/mamba1_scan.h"
#include "tests/kernels/mamba2_chunk_layer.h"

namespace statelib::kernels::cuda {

/// One head in double precision, with the bounds of the contract beside it.
class ExactHead {
 public:
  ExactHead(const Layer& layer, size_t head, const std::vector<uint32_t>& before)
      : layer_(layer), head_(head), s_(states() * width()), error_(s_.size(), 0) {
    for (size_t i = 0; i < s_.size(); ++i)
      s_[i] = static_cast<double>(std::bit_cast<float>(before[head * s_.size() + i]));
  }

  /// Largest error of y over its bound.
  double Chunk(size_t first, size_t tokens, const std::vector<uint16_t>& got) {
    first_ = first;
    MakeSteps(tokens);
    double worst = 0;
    for (size_t t = 0; t < tokens; ++t)
      for (size_t p = 0; p < width(); ++p) worst = std::max(worst, OutputError(t, p, got));
    if (tokens == kChunkTokens) Advance();
    return worst;
  }
  /// Largest error of S over its bound.
  double StateError(const std::vector<uint32_t>& got) const {
    double worst = 0;
    for (size_t i = 0; i < s_.size(); ++i) {
      const double value = static_cast<double>(std::bit_cast<float>(got[head_ * s_.size() + i]));
      worst = std::max(worst, std::abs(value - s_[i]) / error_[i]);
    }
    return worst;
  }

 private:
  size_t width() const { return layer_.shape.width; }
  size_t states() const { return layer_.shape.states; }
  double B(size_t t, size_t n) const {
    return static_cast<double>(
        FromBF16(layer_.B(first_ + t, head_ * layer_.shape.groups / layer_.shape.heads)[n]));
  }
  double C(size_t t, size_t n) const { return B(t, n + layer_.bc_width()); }
  size_t At(size_t t, size_t p) const {
    return (first_ + t) * layer_.x_stride() + head_ * width() + p;
  }
  double X(size_t t, size_t p) const { return static_cast<double>(FromBF16(layer_.x[At(t, p)])); }

  void MakeSteps(size_t tokens) {
    dt_.assign(tokens, 0), cum_ = dt_error_ = dt_;
    products_.assign(tokens, {}), sizes_ = products_;
    for (size_t t = 0; t < tokens; ++t) {
      const double v = static_cast<double>(layer_.dt[(first_ + t) * layer_.shape.heads + head_]) +
                       static_cast<double>(layer_.bias[head_]);
      dt_[t] = std::max(v, 0.0) + std::log1p(std::exp(-std::abs(v)));
      dt_error_[t] = kSoftplusError + std::abs(v) * 0x1p-22;
      cum_[t] = (t > 0 ? cum_[t - 1] : 0) + dt_[t] * static_cast<double>(layer_.a[head_]);
      of_dt_ = std::max(t > 0 ? of_dt_ : 0, dt_error_[t]);
      for (size_t s = 0; s <= t; ++s) {
        products_[t].push_back(0), sizes_[t].push_back(0);
        for (size_t n = 0; n < states(); ++n) {
          products_[t][s] += C(t, n) * B(s, n);
          sizes_[t][s] += std::abs(C(t, n) * B(s, n));
        }
      }
    }
  }
  /// Of a decay that ends with token t.
  double DecayError(size_t t) const {
    return std::abs(cum_[t]) / std::log(2) * (0x1p-18 + of_dt_) + 0x1p-21;
  }

  double OutputError(size_t t, size_t p, const std::vector<uint16_t>& got) const {
    double sum = 0, error = 0;
    const double decay = std::exp(cum_[t]), of_decay = DecayError(t);
    for (size_t n = 0; n < states(); ++n) {
      const double term = decay * s_[n * width() + p] * C(t, n);
      sum += term;
      error += std::abs(term) * (0x1p-8 + 0x1p-14 + of_decay) +
               decay * error_[n * width() + p] * std::abs(C(t, n));
    }
    for (size_t s = 0; s <= t; ++s) {
      const double weight = std::exp(cum_[t] - cum_[s]) * dt_[s] * X(s, p);
      sum += weight * products_[t][s];
      error += std::abs(weight) *
               (std::abs(products_[t][s]) * (0x1p-8 + 0x1p-14 + of_decay + dt_error_[s]) +
                sizes_[t][s] * 0x1p-18);
    }
    const double skip = static_cast<double>(layer_.d[head_ * width() + p]) * X(t, p);
    const double z = static_cast<double>(FromBF16(layer_.z[At(t, p)]));
    const double gate = layer_.has_gate ? z / (1 + std::exp(-z)) : 1;
    const double y = (sum + skip) * gate;
    const double bound =
        error * std::abs(gate) + std::abs(y) * (0x1p-8 + 0x1p-19) + std::abs(skip * gate) * 0x1p-22;
    return std::abs(static_cast<double>(FromBF16(got[At(t, p)])) - y) / bound;
  }

  void Advance() {
    constexpr size_t kLast = kChunkTokens - 1;
    const double decay = std::exp(cum_[kLast]), of_decay = DecayError(kLast);
    for (size_t n = 0; n < states(); ++n) {
      for (size_t p = 0; p < width(); ++p) {
        double &s = s_[n * width() + p], &error = error_[n * width() + p];
        error = decay * (error + std::abs(s) * of_decay) + 0x1p-126 * (std::abs(s) + 1);
        s *= decay;
        for (size_t t = 0; t < kChunkTokens; ++t) {
          const double term = std::exp(cum_[kLast] - cum_[t]) * dt_[t] * X(t, p) * B(t, n);
          s += term;
          error += std::abs(term) * (0x1p-15 + of_decay + dt_error_[t]);
        }
        error += std::abs(s) * 0x1p-24;
      }
    }
  }

  const Layer& layer_;
  const size_t head_;
  std::vector<double> s_, error_;
  size_t first_ = 0;
  double of_dt_ = 0;
  std::vector<double> dt_, cum_, dt_error_;
  std::vector<std::vector<double>> products_, sizes_;  // of C and B; of magnitudes
};

}  // namespace statelib::kernels::cuda

#endif  // STATELIB_TESTS_KERNELS_MAMBA2_EXACT_HEAD_H_
