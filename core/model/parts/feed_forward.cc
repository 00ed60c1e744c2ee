// SPDX-License-Identifier: Apache-2.0
#include "core/model/parts/feed_forward.h"

namespace statelib::model {

using kernels::Activation;
using kernels::Epilogue;
using kernels::Rows;

namespace {

/// The matrices of experts, in a backend's form.
std::vector<const kernels::Matrix*> Packed(const std::vector<MatrixRef>& matrices) {
  std::vector<const kernels::Matrix*> packed;
  for (const MatrixRef& matrix : matrices) packed.push_back(&*matrix);
  return packed;
}

}  // namespace

GatedFeedForward::GatedFeedForward(int64_t hidden, int64_t inner, const std::string& prefix,
                                   Weights& weights)
    : inner_(inner),
      gate_(weights.Matrix(prefix + "gate_proj.weight", inner, hidden)),
      up_(weights.Matrix(prefix + "up_proj.weight", inner, hidden)),
      down_(weights.Matrix(prefix + "down_proj.weight", hidden, inner)) {}

void GatedFeedForward::Run(const PartPass& pass, kernels::ConstRows x, Epilogue epilogue,
                           Rows out) {
  const Workspace::Frame frame(pass.workspace);
  const auto width = static_cast<size_t>(inner_);
  const Rows gate = pass.workspace.Take(x.rows, width), up = pass.workspace.Take(x.rows, width);
  pass.backend.MatMul(*gate_, nullptr, x, Epilogue::kStore, gate);
  pass.backend.MatMul(*up_, nullptr, x, Epilogue::kStore, up);
  pass.backend.Gate(up, gate, up);
  pass.backend.MatMul(*down_, nullptr, up, epilogue, out);
}

ExpertFeedForward::ExpertFeedForward(const Facts& facts, const std::string& prefix,
                                     Weights& weights)
    : facts_(facts),
      router_(weights.ExactMatrix(prefix + "router.weight", facts.experts, facts.hidden)),
      gate_(weights.ExpertMatrices(prefix + "gate_proj.weight", facts.experts, facts.chosen,
                                   facts.inner, facts.hidden)),
      up_(weights.ExpertMatrices(prefix + "up_proj.weight", facts.experts, facts.chosen,
                                 facts.inner, facts.hidden)),
      down_(weights.ExpertMatrices(prefix + "down_proj.weight", facts.experts, facts.chosen,
                                   facts.hidden, facts.inner)) {}

void ExpertFeedForward::Run(const PartPass& pass, kernels::ConstRows x, Epilogue epilogue,
                            Rows out) {
  const Workspace::Frame frame(pass.workspace);
  const auto experts = static_cast<size_t>(facts_.experts),
             chosen = static_cast<size_t>(facts_.chosen), width = static_cast<size_t>(facts_.inner);
  const size_t places = x.rows * chosen;
  const Rows logits = pass.workspace.Take(x.rows, experts),
             shares = pass.workspace.Take(x.rows, chosen);
  const kernels::ExpertPlaces chosen_ones{pass.workspace.TakeIntegers(experts + 1),
                                          pass.workspace.TakeIntegers(places), shares.f32(),
                                          experts, chosen};
  const Rows gate = pass.workspace.Take(places, width), up = pass.workspace.Take(places, width),
             down = pass.workspace.Take(places, out.cols),
             sum = pass.workspace.Take(x.rows, out.cols);
  pass.backend.MatMul(*router_, nullptr, x, Epilogue::kStore, logits);
  pass.backend.Route(logits, chosen_ones);
  const auto multiply = [&](const std::vector<MatrixRef>& matrices, kernels::ConstRows from,
                            bool by_place, Rows to) {
    pass.backend.MatMulByExpert(
        {Packed(matrices), chosen_ones, from, by_place, Epilogue::kStore, to});
  };
  multiply(gate_, x, false, gate);
  multiply(up_, x, false, up);
  pass.backend.Gate(up, gate, up);
  multiply(down_, up, true, down);
  pass.backend.SumExperts(down, chosen_ones, sum);
  // Rows of `out` are apart by its stride, which what lies between must survive.
  for (size_t t = 0; !epilogue.add && t < out.rows; ++t)
    pass.backend.ZeroBytes(reinterpret_cast<std::byte*>(out.f32() + t * out.stride),
                           out.cols * sizeof(float));
  pass.backend.AddScaled(sum, epilogue.scale, out);
}

}  // namespace statelib::model
