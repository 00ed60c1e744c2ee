// SPDX-License-Identifier: Apache-2.0
#include "core/model/parts/attention.h"

#include "core/model/parts/tensors.h"

namespace statelib::model {

using kernels::Epilogue;
using kernels::Rows;

namespace {

enum Segment : size_t { kKeys, kValues };

}  // namespace

AttentionPart::AttentionPart(const AttentionFacts& facts, const std::string& prefix,
                             Weights& weights)
    : facts_(facts) {
  const int64_t queries = facts.heads * facts.head_width, keys = facts.kv_heads * facts.head_width;
  q_proj_ = weights.Matrix(prefix + "q_proj.weight", queries, facts.inputs);
  k_proj_ = weights.Matrix(prefix + "k_proj.weight", keys, facts.inputs);
  v_proj_ = weights.Matrix(prefix + "v_proj.weight", keys, facts.inputs);
  o_proj_ = weights.Matrix(prefix + "o_proj.weight", facts.outputs, queries);
  q_bias_ = OptionalVector(weights, facts.use_bias, prefix + "q_proj.bias", queries);
  k_bias_ = OptionalVector(weights, facts.use_bias, prefix + "k_proj.bias", keys);
  v_bias_ = OptionalVector(weights, facts.use_bias, prefix + "v_proj.bias", keys);
  o_bias_ = OptionalVector(weights, facts.use_bias, prefix + "o_proj.bias", facts.outputs);
}

std::vector<LayoutSegment> AttentionPart::Segments() const {
  // A row's own position comes with the row.
  const uint64_t reach = facts_.window == 0 ? kAllTokens : facts_.window - 1;
  std::vector<LayoutSegment> segments;
  for (const SegmentKind kind : {SegmentKind::kKeys, SegmentKind::kValues}) {
    segments.push_back(LayoutSegment::PerToken(
        {0, kind, facts_.keys_and_values, {facts_.kv_heads, facts_.head_width}, "head,channel"},
        reach));
  }
  return segments;
}

void AttentionPart::Run(const PartPass& pass, kernels::ConstRows x, Epilogue epilogue, Rows out) {
  const Workspace::Frame frame(pass.workspace);
  const auto queries = static_cast<size_t>(facts_.heads * facts_.head_width),
             keys = static_cast<size_t>(facts_.kv_heads * facts_.head_width);
  const Rows q = pass.workspace.Take(x.rows, queries), k = pass.workspace.Take(x.rows, keys),
             v = pass.workspace.Take(x.rows, keys), y = pass.workspace.Take(x.rows, queries);
  pass.backend.MatMul(*q_proj_, q_bias_.data(), x, Epilogue::kStore, q);
  pass.backend.MatMul(*k_proj_, k_bias_.data(), x, Epilogue::kStore, k);
  pass.backend.MatMul(*v_proj_, v_bias_.data(), x, Epilogue::kStore, v);
  pass.backend.Attention({q, k, v, static_cast<size_t>(facts_.heads),
                          static_cast<size_t>(facts_.kv_heads), facts_.scale,
                          static_cast<size_t>(facts_.window), pass.sequences, Page(kKeys).group,
                          Page(kKeys).offset, Page(kValues).offset, facts_.keys_and_values, y});
  pass.backend.MatMul(*o_proj_, o_bias_.data(), y, epilogue, out);
}

}  // namespace statelib::model
