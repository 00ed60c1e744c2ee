// SPDX-License-Identifier: Apache-2.0
#include "core/model/layer_stack.h"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/exact/math.h"

namespace statelib::model {

using kernels::Rows;

namespace {

constexpr const char* kHeadName = "lm_head.weight";

StateSpec RepeatForLayers(const StateSpec& layer_spec, const ModelDims& dims) {
  StateSpec spec;
  for (int32_t layer = 0; layer < dims.layers; ++layer) {
    for (SegmentSpec segment : layer_spec) {
      segment.layer = layer;
      spec.push_back(std::move(segment));
    }
  }
  spec.push_back({-1, SegmentKind::kHidden, DType::kF32, {dims.hidden}, "hidden"});
  return spec;
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

LayerStack::LayerStack(const ModelDims& dims, const StateSpec& layer_spec,
                       const model_files::ModelFiles& model_files, kernels::Backend& backend)
    : backend_(backend),
      dims_(dims),
      segments_per_layer_(layer_spec.size()),
      layout_(RepeatForLayers(layer_spec, dims)),
      weights_(model_files, backend) {
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
  final_norm_ = weights_.Vector("backbone.norm_f.weight", dims_.hidden);
}

void LayerStack::Finish() {
  info_.architecture = dims_.architecture;
  info_.vocabulary_size = dims_.vocabulary;
  info_.layers = dims_.layers;
  info_.hidden_size = dims_.hidden;
  info_.parameters = weights_.parameters();
  info_.end_of_text_ids = dims_.end_of_text_ids;
}

TokenWork LayerStack::work() const {
  const auto head = static_cast<double>(dims_.vocabulary * dims_.hidden);
  const auto all = static_cast<double>(weights_.matrix_elements());
  return {all - (dims_.tied_head ? 1 : 2) * head, head,
          static_cast<double>(weights_.matrix_bytes())};
}

void LayerStack::Advance(const TokenId* tokens, const kernels::SequenceTable& sequences,
                         const Rows* every_hidden) {
  const auto d = static_cast<size_t>(dims_.hidden);
  if (residual_.size() == 0) {
    AllocateActivations();
    residual_ = backend_.Allocate(rows_max() * d);
  }
  const Rows residual{residual_.data(), sequences.rows, d, d};
  backend_.Embed(*embeddings_, tokens, residual);
  for (size_t i = 0; i < static_cast<size_t>(dims_.layers); ++i)
    AdvanceLayer(i, sequences, residual);
  if (every_hidden != nullptr)
    backend_.RmsNorm(residual, final_norm_.data(), dims_.norm_epsilon, *every_hidden);
  backend_.RmsNormLast(residual, final_norm_.data(), dims_.norm_epsilon, sequences,
                       layout_.OffsetOf(layout_.spec().size() - 1));
}

void LayerStack::Logits(kernels::ConstRows hidden, Rows out) {
  backend_.MatMul(*head_, nullptr, hidden, kernels::Epilogue::kStore, out);
}

VectorRef LayerStack::OptionalVector(std::optional<bool> wanted, const std::string& name,
                                     int64_t size) {
  return wanted.value_or(weights_.Has(name)) ? weights_.Vector(name, size) : VectorRef();
}

VectorRef LayerStack::ConvolutionTaps(const std::string& name, int64_t channels, int64_t kernel) {
  return weights_.Vector(
      name, {channels, 1, kernel}, [channels, kernel](const std::vector<float>& taps) {
        return Transposed(taps, static_cast<size_t>(channels), static_cast<size_t>(kernel));
      });
}

VectorRef LayerStack::Decays(const std::string& mixer, std::initializer_list<int64_t> shape,
                             const Weights::Transform& layout) {
  if (weights_.Has(mixer + "A")) return weights_.Vector(mixer + "A", shape, layout);
  return weights_.Vector(mixer + "A_log", shape, [layout](std::vector<float> decays) {
    for (float& decay : decays) decay = -kernels::exact::Exp(decay);
    return layout ? layout(std::move(decays)) : decays;
  });
}

VectorRef LayerStack::VectorOrZeros(bool present, const std::string& name, int64_t size) {
  return present ? weights_.Vector(name, size) : weights_.Constant(size, 0.0f);
}

}  // namespace statelib::model
