// SPDX-License-Identifier: Apache-2.0
#include "core/model/parts/mamba2_mixer.h"

#include "core/model/parts/tensors.h"

namespace statelib::model {

using kernels::Epilogue;
using kernels::Rows;

namespace {

enum Segment : size_t { kConvState, kSsmState };

size_t Size(int64_t extent) { return static_cast<size_t>(extent); }

/// D of each channel: the file has one a head or one a channel.
VectorRef Skip(const Mamba2Facts& facts, const std::string& name, Weights& weights) {
  if (weights.Has(name) && weights.ElementsOf(name) == facts.inner())
    return weights.Vector(name, facts.inner());
  const size_t width = Size(facts.head_width);
  return weights.Vector(name, {facts.heads}, [width](const std::vector<float>& heads) {
    std::vector<float> channels;
    for (const float value : heads) channels.insert(channels.end(), width, value);
    return channels;
  });
}

}  // namespace

Mamba2Mixer::Mamba2Mixer(const Mamba2Facts& facts, const std::string& prefix, Weights& weights)
    : facts_(facts) {
  const int64_t d = facts.hidden, e = facts.inner(), c = facts.convolved();
  in_proj_ = weights.Matrix(prefix + "in_proj.weight", facts.projected(), d);
  out_proj_ = weights.Matrix(prefix + "out_proj.weight", d, e);
  in_bias_ = OptionalVector(weights, facts.use_bias, prefix + "in_proj.bias", facts.projected());
  out_bias_ = OptionalVector(weights, facts.use_bias, prefix + "out_proj.bias", d);
  conv_weight_ = ConvolutionTaps(weights, prefix + "conv1d.weight", c, facts.kernel);
  conv_bias_ = VectorOrZeros(weights, facts.use_conv_bias, prefix + "conv1d.bias", c);
  dt_bias_ = weights.Vector(prefix + "dt_bias", facts.heads);
  a_ = Decays(weights, prefix, {facts.heads});
  d_ = Skip(facts, prefix + "D", weights);
  if (facts.norm != GatedNorm::kNone) norm_ = weights.Vector(prefix + "norm.weight", e);
}

std::vector<LayoutSegment> Mamba2Mixer::Segments() const {
  return {LayoutSegment::Fixed({0,
                                SegmentKind::kConv,
                                DType::kF32,
                                {facts_.kernel - 1, facts_.convolved()},
                                "time,channel"}),
          LayoutSegment::Fixed({0,
                                SegmentKind::kSsm,
                                DType::kF32,
                                {facts_.heads, facts_.states, facts_.head_width},
                                "head,state,channel"})};
}

size_t Mamba2Mixer::KeptFloats() const {
  // The convolution's, the scan's.
  return Size(facts_.convolved() + facts_.heads + facts_.inner() + facts_.groups * facts_.states);
}

std::vector<kernels::Operation> Mamba2Mixer::Operations() const {
  if (facts_.norm == GatedNorm::kBeforeGate) return {kernels::Operation::kElementwise};
  return {};
}

void Mamba2Mixer::Run(const PartPass& pass, kernels::ConstRows x, Epilogue epilogue, Rows out) {
  const Workspace::Frame frame(pass.workspace);
  const size_t e = Size(facts_.inner()), c = Size(facts_.convolved()), h = Size(facts_.heads),
               gn = Size(facts_.groups * facts_.states);
  const Rows projected = pass.workspace.Take(x.rows, Size(facts_.projected())),
             x_b_c = pass.workspace.Take(x.rows, c), y = pass.workspace.Take(x.rows, e);
  const Rows z = projected.Columns(0, e);
  const bool gates_last = facts_.norm == GatedNorm::kBeforeGate;
  pass.backend.MatMulThenConv(
      *in_proj_, in_bias_.data(), x, projected,
      {projected.Columns(e, c), conv_weight_.data(), conv_bias_.data(), Size(facts_.kernel),
       pass.sequences, SlotOffset(kConvState), x_b_c, Room(0)});
  const kernels::Mamba2ScanArgs scan{x_b_c.Columns(0, e),
                                     projected.Columns(e + c, h),
                                     x_b_c.Columns(e, gn),
                                     x_b_c.Columns(e + gn, gn),
                                     gates_last ? kernels::ConstRows() : z,
                                     dt_bias_.data(),
                                     a_.data(),
                                     d_.data(),
                                     facts_.dt_min,
                                     facts_.dt_max,
                                     Size(facts_.groups),
                                     pass.sequences,
                                     SlotOffset(kSsmState),
                                     y,
                                     Room(c)};
  if (IsObserved(pass)) Show(pass, scan);
  pass.backend.Mamba2Scan(scan);
  if (facts_.norm != GatedNorm::kNone) Normalise(pass, y);
  if (gates_last) pass.backend.Gate(y, z, y);
  pass.backend.MatMul(*out_proj_, out_bias_.data(), y, epilogue, out);
}

void Mamba2Mixer::Normalise(const PartPass& pass, Rows y) const {
  const size_t width = y.cols / Size(facts_.norm_groups);
  for (size_t first = 0; first < y.cols; first += width) {
    const Rows group = y.Columns(first, width);
    pass.backend.RmsNorm(group, norm_.data() + first, facts_.norm_epsilon, group);
  }
}

void Mamba2Mixer::Show(const PartPass& pass, const kernels::Mamba2ScanArgs& scan) const {
  const Workspace::Frame frame(pass.workspace);
  const Rows dt = pass.workspace.Take(scan.x.rows, scan.dt_raw.cols),
             decay = pass.workspace.Take(scan.x.rows, scan.dt_raw.cols);
  pass.backend.TimeSteps(scan, dt);
  pass.backend.Decays(dt, scan.a, 1, decay);
  PassObserver& observer = *pass.observer;
  observer.Saw(layer(), "x", scan.x);
  observer.Saw(layer(), "dt", dt);
  observer.Saw(layer(), "B", scan.b);
  observer.Saw(layer(), "C", scan.c);
  observer.Saw(layer(), "decay", decay);
}

}  // namespace statelib::model
