// SPDX-License-Identifier: Apache-2.0
// Which experts compute for a row, and what becomes of their outputs (kernels/experts.h).
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "kernels/check.h"
#include "kernels/exact/math.h"
#include "kernels/host_backend.h"

namespace statelib::kernels {

namespace {

struct Choice {
  std::vector<size_t> experts;  // ascending
  std::vector<float> shares;
};

/// The `count` largest of x, of equals the first ones, and the softmax over them: a chain of sums
/// in the order of numbers.
Choice ChooseExperts(const float* x, size_t experts, size_t count) {
  std::vector<size_t> order(experts);
  std::iota(order.begin(), order.end(), size_t{0});
  // What is no number comes last.
  const auto rank = [x](size_t i) { return std::isnan(x[i]) ? -INFINITY : x[i]; };
  std::stable_sort(order.begin(), order.end(),
                   [&rank](size_t a, size_t b) { return rank(a) > rank(b); });
  const float largest = x[order[0]];
  order.resize(count);
  std::sort(order.begin(), order.end());
  Choice choice{order, {}};
  float sum = 0;
  for (const size_t expert : order) {
    choice.shares.push_back(exact::Exp(x[expert] - largest));
    sum += choice.shares.back();
  }
  for (float& share : choice.shares) share /= sum;
  return choice;
}

}  // namespace

void HostBackend::Route(ConstRows logits, const ExpertPlaces& out) {
  STATELIB_CHECK(logits.cols == out.experts && out.chosen <= out.experts && out.chosen > 0);
  std::vector<Choice> choices;
  std::fill_n(out.first, out.experts + 1, 0);
  for (size_t t = 0; t < logits.rows; ++t) {
    choices.push_back(ChooseExperts(logits.f32() + t * logits.stride, out.experts, out.chosen));
    for (const size_t expert : choices.back().experts) ++out.first[expert + 1];
  }
  std::partial_sum(out.first, out.first + out.experts + 1, out.first);
  std::vector<int32_t> next(out.first, out.first + out.experts);
  for (size_t t = 0; t < choices.size(); ++t) {
    for (size_t i = 0; i < out.chosen; ++i) {
      const int32_t place = next[choices[t].experts[i]]++;
      out.rows[place] = static_cast<int32_t>(t);
      out.shares[place] = choices[t].shares[i];
    }
  }
}

void HostBackend::MatMulByExpert(const ExpertProductArgs& args) {
  const ExpertPlaces& places = args.places;
  STATELIB_CHECK(args.matrices.size() == places.experts);
  std::vector<float> gathered;
  for (size_t e = 0; e < places.experts; ++e) {
    const auto first = static_cast<size_t>(places.first[e]),
               count = static_cast<size_t>(places.first[e + 1]) - first;
    if (count == 0) continue;
    ConstRows x{args.x.f32() + first * args.x.stride, count, args.x.cols, args.x.stride};
    if (!args.x_by_place) {
      gathered.resize(count * args.x.cols);
      for (size_t i = 0; i < count; ++i) {
        const auto row = static_cast<size_t>(places.rows[first + i]);
        std::copy_n(args.x.f32() + row * args.x.stride, args.x.cols,
                    gathered.begin() + static_cast<std::ptrdiff_t>(i * args.x.cols));
      }
      x = {gathered.data(), count, args.x.cols, args.x.cols};
    }
    MatMul(*args.matrices[e], nullptr, x, args.epilogue,
           {args.out.f32() + first * args.out.stride, count, args.out.cols, args.out.stride});
  }
}

void HostBackend::SumExperts(ConstRows x, const ExpertPlaces& places, Rows out) {
  STATELIB_CHECK(x.cols == out.cols);
  for (size_t t = 0; t < out.rows; ++t) std::fill_n(out.f32() + t * out.stride, out.cols, 0.0f);
  // Places lie by expert, so that each row meets its own in the order of their numbers.
  for (size_t place = 0; place < out.rows * places.chosen; ++place) {
    const float* const from = x.f32() + place * x.stride;
    float* const to = out.f32() + static_cast<size_t>(places.rows[place]) * out.stride;
    for (size_t i = 0; i < out.cols; ++i) to[i] = std::fma(places.shares[place], from[i], to[i]);
  }
}

}  // namespace statelib::kernels
