// SPDX-License-Identifier: Apache-2.0
#include "core/model/layer_stack.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "kernels/check.h"

namespace statelib::model {

using kernels::Rows;

namespace {

constexpr const char* kHeadName = "lm_head.weight";
constexpr std::string_view kEmbeddingRows = "embedding";

/// Whether the one part adds its output to the residual stream itself.
bool IsDirect(const Block& block) {
  return block.parts.size() == 1 && block.before && !block.after;
}

/// A part and those that it is made of, in the order of their segments.
void Visit(Part& part, const std::function<void(Part&)>& work) {
  work(part);
  for (Part* const inner : part.Parts()) Visit(*inner, work);
}

void ForEachPart(const Block& block, const std::function<void(Part&)>& work) {
  for (const BlockPart& use : block.parts) Visit(*use.part, work);
}

}  // namespace

std::string EmbeddingName(const model_files::ModelFiles& model_files) {
  const std::string original = "backbone.embedding.weight",
                    published = "backbone.embeddings.weight";
  const bool is_original =
      model_files.Find(published) == nullptr && model_files.Find(original) != nullptr;
  return is_original ? original : published;
}

bool HasTiedHead(const model_files::ModelFiles& model_files, bool says_tied) {
  const model_files::TensorRef* const head = model_files.Find(kHeadName);
  const model_files::TensorRef* const embedding = model_files.Find(EmbeddingName(model_files));
  if (!says_tied || head == nullptr || embedding == nullptr) return says_tied;
  if (head->type != embedding->type || head->shape != embedding->shape) return false;
  // Files of PyTorch name one storage twice.
  const bool is_one = head->bytes.data() == embedding->bytes.data();
  const bool is_tied = is_one || std::ranges::equal(head->bytes, embedding->bytes);
  if (!is_one) model_files.Forget(head->bytes);
  return is_tied;
}

LayerStack::LayerStack(const ModelDims& dims, const model_files::ModelFiles& model_files,
                       kernels::Backend& backend)
    : backend_(backend),
      dims_(dims),
      weights_(model_files, backend),
      workspace_(backend, backend.rows_preferred()) {
  dims_.tied_head = HasTiedHead(model_files, dims.tied_head);
  if (dims_.tied_head != dims.tied_head) {
    Note(
        fmt::format("the configuration ties the head to the embedding, but {} is stored and "
                    "differs from it: the stored head is used",
                    kHeadName));
  }
  embeddings_ = weights_.Matrix(EmbeddingName(model_files), dims_.vocabulary, dims_.hidden);
  head_ =
      dims_.tied_head ? embeddings_ : weights_.Matrix(kHeadName, dims_.vocabulary, dims_.hidden);
  final_norm_ = {weights_.Vector("backbone.norm_f.weight", dims_.hidden), {}, dims_.norm_epsilon};
}

void LayerStack::AddBlock(int32_t layer, const std::string& norm_name, std::unique_ptr<Part> part) {
  Block block;
  block.layer = layer;
  block.before = {weights_.Vector(norm_name, dims_.hidden), {}, dims_.norm_epsilon};
  block.parts.push_back({std::move(part), 1.0f});
  blocks_.push_back(std::move(block));
}

void LayerStack::Finish() {
  info_.architecture = dims_.architecture;
  info_.vocabulary_size = dims_.vocabulary;
  info_.layers = dims_.layers;
  info_.hidden_size = dims_.hidden;
  info_.parameters = weights_.parameters();
  info_.end_of_text_ids = dims_.end_of_text_ids;
  CheckParts();
  PlaceSegments();
}

void LayerStack::CheckParts() {
  std::set<kernels::Operation> operations;
  std::set<std::string_view> given = {kEmbeddingRows};
  for (const Block& block : blocks_) {
    if (block.before.bias || block.after.bias) operations.insert(kernels::Operation::kLayerNorm);
    if (!IsDirect(block)) operations.insert(kernels::Operation::kElementwise);
    ForEachPart(block, [&](Part& part) {
      for (const kernels::Operation operation : part.Operations()) operations.insert(operation);
      for (const std::string_view name : part.Takes()) {
        STATELIB_CHECK(given.contains(name));
        gives_embedding_ |= name == kEmbeddingRows;
      }
      for (const std::string_view name : part.Gives()) given.insert(name);
    });
  }
  info_.operations.assign(operations.begin(), operations.end());
}

void LayerStack::PlaceSegments() {
  std::vector<LayoutSegment> segments;
  size_t kept_floats = 0;
  for (const Block& block : blocks_) {
    ForEachPart(block, [&](Part& part) {
      part.layer_ = block.layer;
      part.room_floats_ = kept_floats;
      kept_floats += part.KeptFloats();
      for (LayoutSegment& segment : part.Segments()) {
        segment.spec.layer = block.layer;
        segments.push_back(std::move(segment));
      }
    });
  }
  segments.push_back(
      LayoutSegment::Fixed({-1, SegmentKind::kHidden, DType::kF32, {dims_.hidden}, "hidden"}));
  hidden_room_ = kept_floats * StateLayout::kKeptRowsMax * sizeof(float);
  layout_ = StateLayout(std::move(segments), kept_floats + static_cast<size_t>(dims_.hidden));
  size_t next = 0;
  for (const Block& block : blocks_) {
    ForEachPart(block, [&](Part& part) {
      for (size_t i = part.Segments().size(); i > 0; --i)
        part.places_.push_back(layout_.PageOf(next++));
    });
  }
}

TokenWork LayerStack::work() const {
  const auto head = static_cast<double>(dims_.vocabulary * dims_.hidden);
  return {weights_.active_elements() - (dims_.tied_head ? 1 : 2) * head, head,
          weights_.active_bytes(), static_cast<double>(weights_.matrix_bytes())};
}

void LayerStack::Advance(const TokenId* tokens, const kernels::SequenceTable& sequences,
                         const PassOutputs& outputs) {
  const Workspace::Frame frame(workspace_);
  const auto d = static_cast<size_t>(dims_.hidden);
  const Rows residual = workspace_.Take(sequences.rows, d);
  backend_.Embed(*embeddings_, tokens, residual);
  if (gives_embedding_) {
    const Rows given = workspace_.Give(kEmbeddingRows, sequences.rows, d);
    backend_.CopyBytes(reinterpret_cast<const std::byte*>(residual.f32()),
                       reinterpret_cast<std::byte*>(given.f32()),
                       sequences.rows * d * sizeof(float));
  }
  const PartPass pass{backend_, sequences, workspace_, outputs.observer};
  for (const Block& block : blocks_) Run(block, pass, residual);
  if (outputs.every_hidden != nullptr) Apply(final_norm_, residual, *outputs.every_hidden);
  backend_.RmsNormLast(residual, final_norm_.weight.data(), final_norm_.epsilon, sequences,
                       layout_.OffsetOf(layout_.segments().size() - 1), hidden_room_);
}

void LayerStack::Run(const Block& block, const PartPass& pass, Rows residual) {
  const Workspace::Frame frame(workspace_);
  Rows in = residual;
  if (block.before) {
    in = workspace_.Take(residual.rows, residual.cols);
    Apply(block.before, residual, in);
  }
  if (IsDirect(block)) {
    const BlockPart& only = block.parts.front();
    only.part->Run(pass, in, {block.scale * only.scale, kernels::Activation::kNone, true},
                   residual);
    return;
  }
  const Rows sum = workspace_.Take(residual.rows, residual.cols);
  for (size_t i = 0; i < block.parts.size(); ++i)
    block.parts[i].part->Run(pass, in, {block.parts[i].scale, kernels::Activation::kNone, i > 0},
                             sum);
  if (block.after) Apply(block.after, sum, sum);
  backend_.AddScaled(sum, block.scale, residual);
}

void LayerStack::Apply(const Norm& norm, kernels::ConstRows x, Rows out) {
  if (norm.bias)
    backend_.LayerNorm(x, norm.weight.data(), norm.bias.data(), norm.epsilon, out);
  else
    backend_.RmsNorm(x, norm.weight.data(), norm.epsilon, out);
}

void LayerStack::Logits(kernels::ConstRows hidden, Rows out) {
  backend_.MatMul(*head_, nullptr, hidden, kernels::Epilogue::kStore, out);
}

}  // namespace statelib::model
