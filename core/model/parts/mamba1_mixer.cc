// SPDX-License-Identifier: Apache-2.0
// Mamba-1's mixer, written once against the kernel interface. The gate order and the Euler input
// term are those of the published implementations (state-spaces/mamba, huggingface/transformers).
#include "core/model/parts/mamba1_mixer.h"

#include <algorithm>

#include "core/model/parts/tensors.h"

namespace statelib::model {

using kernels::Epilogue;
using kernels::Rows;

namespace {

enum Segment : size_t { kConvState, kSsmState };

}  // namespace

Mamba1Mixer::Mamba1Mixer(const Mamba1Facts& facts, const std::string& prefix, Weights& weights)
    : facts_(facts) {
  const int64_t d = facts.hidden, e = facts.inner, n = facts.states, r = facts.dt_rank;
  in_proj_ = weights.Matrix(prefix + "in_proj.weight", 2 * e, d);
  x_proj_ = weights.ExactMatrix(prefix + "x_proj.weight", r + 2 * n, e);
  dt_proj_ = weights.ExactMatrix(prefix + "dt_proj.weight", e, r);
  out_proj_ = weights.Matrix(prefix + "out_proj.weight", d, e);
  in_bias_ = OptionalVector(weights, facts.use_bias, prefix + "in_proj.bias", 2 * e);
  out_bias_ = OptionalVector(weights, facts.use_bias, prefix + "out_proj.bias", d);
  conv_weight_ = ConvolutionTaps(weights, prefix + "conv1d.weight", e, facts.kernel);
  conv_bias_ = VectorOrZeros(weights, facts.use_conv_bias, prefix + "conv1d.bias", e);
  dt_bias_ = weights.Vector(prefix + "dt_proj.bias", e);
  a_ = Decays(weights, prefix, {e, n}, [e, n](const std::vector<float>& a) {
    return Transposed(a, static_cast<size_t>(e), static_cast<size_t>(n));
  });
  d_ = weights.Vector(prefix + "D", e);
  if (facts.dt_b_c_norm_epsilon) ones_ = weights.Constant(std::max(r, n), 1.0f);
}

std::vector<LayoutSegment> Mamba1Mixer::Segments() const {
  // Oldest input first. A kernel of one keeps no inputs, yet a segment of every kind stands in
  // every layer.
  return {
      LayoutSegment::Fixed(
          {0, SegmentKind::kConv, DType::kF32, {facts_.kernel - 1, facts_.inner}, "time,channel"}),
      LayoutSegment::Fixed(
          {0, SegmentKind::kSsm, DType::kF32, {facts_.states, facts_.inner}, "state,channel"})};
}

size_t Mamba1Mixer::KeptFloats() const {
  return static_cast<size_t>(3 * facts_.inner + facts_.states);  // the convolution's, the scan's
}

void Mamba1Mixer::Run(const PartPass& pass, kernels::ConstRows x, Epilogue epilogue, Rows out) {
  const Workspace::Frame frame(pass.workspace);
  const size_t rows = x.rows, e = static_cast<size_t>(facts_.inner);
  const size_t r = static_cast<size_t>(facts_.dt_rank), n = static_cast<size_t>(facts_.states);
  const Rows x_and_z = pass.workspace.Take(rows, 2 * e), inner = pass.workspace.Take(rows, e);
  const Rows dt_b_c = pass.workspace.Take(rows, r + 2 * n);
  const Activations all{x_and_z,
                        inner,
                        dt_b_c.Columns(0, r),
                        dt_b_c.Columns(r, n),
                        dt_b_c.Columns(r + n, n),
                        pass.workspace.Take(rows, e)};
  pass.backend.MatMulThenConv(
      *in_proj_, in_bias_.data(), x, x_and_z,
      {x_and_z.Columns(0, e), conv_weight_.data(), conv_bias_.data(),
       static_cast<size_t>(facts_.kernel), pass.sequences, SlotOffset(kConvState), inner, Room(0)});
  pass.backend.MatMul(*x_proj_, nullptr, inner, Epilogue::kStore, dt_b_c);
  if (facts_.dt_b_c_norm_epsilon) {
    for (const Rows& part : {all.dt_in, all.b, all.c})
      pass.backend.RmsNorm(part, ones_.data(), *facts_.dt_b_c_norm_epsilon, part);
  }
  Scan(pass, all, inner);
  pass.backend.MatMul(*out_proj_, out_bias_.data(), inner, epilogue, out);
}

void Mamba1Mixer::Scan(const PartPass& pass, const Activations& rows, Rows y) {
  const size_t e = y.cols;
  const kernels::SelectiveScanArgs scan{rows.x,
                                        rows.dt,
                                        rows.b,
                                        rows.c,
                                        rows.x_and_z.Columns(e, e),
                                        a_.data(),
                                        d_.data(),
                                        pass.sequences,
                                        SlotOffset(kSsmState),
                                        y,
                                        Room(e)};
  if (!IsObserved(pass)) {
    pass.backend.MatMulThenScan(*dt_proj_, dt_bias_.data(), rows.dt_in, rows.dt, scan);
    return;
  }
  // One after the other, for y takes the place of x.
  pass.backend.MatMul(*dt_proj_, dt_bias_.data(), rows.dt_in, Epilogue::kSoftplus, rows.dt);
  Show(pass, rows);
  pass.backend.SelectiveScan(scan);
}

void Mamba1Mixer::Show(const PartPass& pass, const Activations& rows) const {
  PassObserver& observer = *pass.observer;
  observer.Saw(layer(), "x", rows.x);
  observer.Saw(layer(), "dt", rows.dt);
  observer.Saw(layer(), "B", rows.b);
  observer.Saw(layer(), "C", rows.c);
  const Workspace::Frame frame(pass.workspace);
  const auto states = static_cast<size_t>(facts_.states);
  const Rows decay = pass.workspace.Take(rows.dt.rows, states * rows.dt.cols);
  pass.backend.Decays(rows.dt, a_.data(), states, decay);
  observer.Saw(layer(), "decay", decay);
}

}  // namespace statelib::model
