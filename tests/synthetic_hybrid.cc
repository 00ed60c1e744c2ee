// SPDX-License-Identifier: Apache-2.0
#include "tests/synthetic_hybrid.h"

#include <cmath>
#include <fstream>
#include <random>
#include <vector>

#include "core/base/file_system.h"
#include "core/model/config_fields.h"
#include "core/model/layer_stack.h"
#include "core/model/parts/attention.h"
#include "core/model/parts/feed_forward.h"
#include "core/model/parts/mamba1_mixer.h"
#include "core/model/parts/mamba2_mixer.h"
#include "core/model_files/safetensors_writer.h"
#include "tests/loose_tensors.h"

namespace statelib {

namespace {

using namespace model;
using kernels::Epilogue;
using kernels::Rows;

constexpr const char* kName = "synthetic_hybrid";
constexpr int64_t kVocabulary = 83, kHidden = 48, kInner = 64;

Mamba1Facts SelectiveFacts() {
  Mamba1Facts facts;
  facts.hidden = kHidden;
  facts.inner = kInner;
  facts.states = 8;
  facts.dt_rank = 4;
  facts.kernel = 4;
  return facts;
}

Mamba2Facts HeadFacts(GatedNorm norm) {
  Mamba2Facts facts;
  facts.hidden = kHidden;
  facts.heads = 4;
  facts.head_width = kInner / facts.heads;
  facts.states = 12;
  facts.groups = 2;
  facts.kernel = 3;
  facts.norm_groups = 2;
  facts.norm = norm;
  return facts;
}

AttentionFacts AttentionOver(uint64_t window) {
  AttentionFacts facts;
  facts.inputs = facts.outputs = kHidden;
  facts.heads = 4;
  facts.kv_heads = 2;
  facts.head_width = 20;  // no multiple of a vector
  facts.scale = 1.0f / std::sqrt(20.0f);
  facts.window = window;
  return facts;
}

constexpr ExpertFeedForward::Facts kExperts{kHidden, 24, 5, 2};

/// Attention over the sum of its inputs, the embedding, and what the part before it gave.
class AttentionWithEmbedding : public Part {
 public:
  AttentionWithEmbedding(const std::string& prefix, Weights& weights)
      : attention_(AttentionOver(0), prefix, weights) {}

  std::vector<Part*> Parts() override { return {&attention_}; }
  std::vector<std::string_view> Takes() const override { return {"embedding", "first"}; }
  std::vector<kernels::Operation> Operations() const override {
    return {kernels::Operation::kElementwise};
  }
  void Run(const PartPass& pass, kernels::ConstRows x, Epilogue epilogue, Rows out) override {
    const Workspace::Frame frame(pass.workspace);
    const Rows sum = pass.workspace.Take(x.rows, x.cols);
    pass.backend.ZeroBytes(reinterpret_cast<std::byte*>(sum.f32()),
                           x.rows * x.cols * sizeof(float));
    for (const kernels::ConstRows& rows : {x, kernels::ConstRows(pass.workspace.Given("embedding")),
                                           kernels::ConstRows(pass.workspace.Given("first"))})
      pass.backend.AddScaled(rows, 1.0f, sum);
    attention_.Run(pass, sum, epilogue, out);
  }

 private:
  AttentionPart attention_;
};

/// Half of its inputs, which it gives to later parts as "first".
class GivesFirst : public Part {
 public:
  std::vector<std::string_view> Gives() const override { return {"first"}; }
  std::vector<kernels::Operation> Operations() const override {
    return {kernels::Operation::kElementwise};
  }
  void Run(const PartPass& pass, kernels::ConstRows x, Epilogue epilogue, Rows out) override {
    const Rows given = pass.workspace.Give("first", x.rows, x.cols);
    pass.backend.CopyBytes(static_cast<const std::byte*>(x.data),
                           reinterpret_cast<std::byte*>(given.f32()),
                           x.rows * x.cols * sizeof(float));
    if (!epilogue.add)
      pass.backend.ZeroBytes(reinterpret_cast<std::byte*>(out.f32()),
                             x.rows * x.cols * sizeof(float));
    pass.backend.AddScaled(x, 0.5f * epilogue.scale, out);
  }
};

Norm RmsNormOf(const std::string& name, Weights& weights) {
  return {weights.Vector(name, kHidden), {}, 1e-5f};
}

template <typename T, typename... Args>
Block BlockOf(int32_t layer, const std::string& norm, Weights& weights, Args&&... args) {
  Block block;
  block.layer = layer;
  block.before = RmsNormOf(norm, weights);
  block.parts.push_back({std::make_unique<T>(std::forward<Args>(args)...), 1.0f});
  return block;
}

std::unique_ptr<Model> Load(const model_files::ModelFiles& files, kernels::Backend& backend) {
  const ModelDims dims = DimsFromHuggingFace(files.config(), kName, true);
  auto stack = std::make_unique<LayerStack>(dims, files, backend);
  Weights& weights = stack->weights();
  stack->AddBlock(BlockOf<Mamba2Mixer>(0, "l0.norm", weights, HeadFacts(GatedNorm::kBeforeGate),
                                       "l0.mixer.", weights));
  // Parallel mixers, each with a scale, and a feed-forward network in the same layer.
  Block parallel = BlockOf<Mamba2Mixer>(1, "l1.norm", weights, HeadFacts(GatedNorm::kNone),
                                        "l1.mixer.", weights);
  parallel.parts[0].scale = 0.7f;
  parallel.parts.push_back(
      {std::make_unique<AttentionPart>(AttentionOver(0), "l1.attention.", weights), 1.3f});
  stack->AddBlock(std::move(parallel));
  stack->AddBlock(
      BlockOf<GatedFeedForward>(1, "l1.norm2", weights, kHidden, kInner, "l1.mlp.", weights));
  stack->AddBlock(BlockOf<AttentionPart>(2, "l2.norm", weights, AttentionOver(kHybridWindow),
                                         "l2.attention.", weights));
  Block selective =
      BlockOf<Mamba1Mixer>(3, "l3.norm", weights, SelectiveFacts(), "l3.mixer.", weights);
  selective.before.bias = weights.Vector("l3.norm_bias", kHidden);
  stack->AddBlock(std::move(selective));
  stack->AddBlock(BlockOf<GivesFirst>(3, "l3.norm2", weights));
  Block experts =
      BlockOf<ExpertFeedForward>(4, "l4.norm", weights, kExperts, "l4.experts.", weights);
  experts.after = RmsNormOf("l4.norm_after", weights);
  experts.scale = 0.5f;
  stack->AddBlock(std::move(experts));
  // The weights of layer 1's attention, with keys and values of its own.
  stack->AddBlock(BlockOf<AttentionWithEmbedding>(5, "l5.norm", weights, "l1.attention.", weights));
  stack->Finish();
  return stack;
}

/// Random tensors by name.
class RandomTensors {
 public:
  explicit RandomTensors(uint32_t seed) : engine_(seed) {}

  void Add(const std::string& name, std::vector<int64_t> shape, float mean, float spread) {
    std::normal_distribution<float> normal(mean, spread);
    size_t count = 1;
    for (const int64_t extent : shape) count *= static_cast<size_t>(extent);
    std::vector<float> values(count);
    for (float& value : values) value = normal(engine_);
    tensors_.push_back(FloatTensor(name, std::move(shape), values));
  }
  void Matrix(const std::string& name, std::vector<int64_t> shape) {
    const float spread = 1 / std::sqrt(static_cast<float>(shape.back()));
    Add(name, std::move(shape), 0, spread);
  }
  void Norm(const std::string& name, int64_t size = kHidden) { Add(name, {size}, 1, 0.3f); }

  void Heads(const std::string& prefix, const Mamba2Facts& facts) {
    Matrix(prefix + "in_proj.weight", {facts.projected(), kHidden});
    Add(prefix + "conv1d.weight", {facts.convolved(), 1, facts.kernel}, 0, 0.4f);
    Add(prefix + "conv1d.bias", {facts.convolved()}, 0, 0.2f);
    Add(prefix + "dt_bias", {facts.heads}, -2, 1);
    Add(prefix + "A_log", {facts.heads}, 0.5f, 0.7f);
    Add(prefix + "D", {facts.heads}, 1, 0.3f);
    if (facts.norm != GatedNorm::kNone) Norm(prefix + "norm.weight", facts.inner());
    Matrix(prefix + "out_proj.weight", {kHidden, facts.inner()});
  }
  void Selective(const std::string& prefix, const Mamba1Facts& facts) {
    Matrix(prefix + "in_proj.weight", {2 * facts.inner, kHidden});
    Add(prefix + "conv1d.weight", {facts.inner, 1, facts.kernel}, 0, 0.4f);
    Add(prefix + "conv1d.bias", {facts.inner}, 0, 0.2f);
    Matrix(prefix + "x_proj.weight", {facts.dt_rank + 2 * facts.states, facts.inner});
    Matrix(prefix + "dt_proj.weight", {facts.inner, facts.dt_rank});
    Add(prefix + "dt_proj.bias", {facts.inner}, -2, 1);
    Add(prefix + "A_log", {facts.inner, facts.states}, 0.5f, 0.7f);
    Add(prefix + "D", {facts.inner}, 1, 0.3f);
    Matrix(prefix + "out_proj.weight", {kHidden, facts.inner});
  }
  void Attention(const std::string& prefix) {
    const AttentionFacts facts = AttentionOver(0);
    const int64_t queries = facts.heads * facts.head_width,
                  keys = facts.kv_heads * facts.head_width;
    Matrix(prefix + "q_proj.weight", {queries, kHidden});
    Matrix(prefix + "k_proj.weight", {keys, kHidden});
    Matrix(prefix + "v_proj.weight", {keys, kHidden});
    Matrix(prefix + "o_proj.weight", {kHidden, queries});
  }

  void Write(const std::filesystem::path& path) const {
    std::vector<model_files::TensorToWrite> tensors;
    for (const LooseTensor& tensor : tensors_)
      tensors.push_back({tensor.name, tensor.type, tensor.shape, tensor.bytes});
    model_files::WriteSafetensors(FileSystem::Real(), path, tensors);
  }

 private:
  std::mt19937 engine_;
  std::vector<LooseTensor> tensors_;
};

}  // namespace

void WriteSyntheticHybrid(const std::filesystem::path& folder, uint32_t seed) {
  RandomTensors tensors(seed);
  tensors.Add("backbone.embeddings.weight", {kVocabulary, kHidden}, 0, 1);
  tensors.Norm("backbone.norm_f.weight");
  tensors.Heads("l0.mixer.", HeadFacts(GatedNorm::kBeforeGate));
  tensors.Heads("l1.mixer.", HeadFacts(GatedNorm::kNone));
  for (const char* const prefix : {"l1.attention.", "l2.attention."}) tensors.Attention(prefix);
  tensors.Matrix("l1.mlp.gate_proj.weight", {kInner, kHidden});
  tensors.Matrix("l1.mlp.up_proj.weight", {kInner, kHidden});
  tensors.Matrix("l1.mlp.down_proj.weight", {kHidden, kInner});
  tensors.Selective("l3.mixer.", SelectiveFacts());
  tensors.Matrix("l4.experts.router.weight", {kExperts.experts, kHidden});
  tensors.Matrix("l4.experts.gate_proj.weight", {kExperts.experts, kExperts.inner, kHidden});
  tensors.Matrix("l4.experts.up_proj.weight", {kExperts.experts, kExperts.inner, kHidden});
  tensors.Matrix("l4.experts.down_proj.weight", {kExperts.experts, kHidden, kExperts.inner});
  for (const char* const name : {"l0.norm", "l1.norm", "l1.norm2", "l2.norm", "l3.norm", "l3.norm2",
                                 "l4.norm", "l4.norm_after", "l5.norm"})
    tensors.Norm(name);
  tensors.Add("l3.norm_bias", {kHidden}, 0, 0.3f);
  std::filesystem::create_directories(folder);
  tensors.Write(folder / "model.safetensors");
  const std::string config =
      R"({"model_type":"synthetic_hybrid","vocab_size":83,"hidden_size":48,)"
      R"("num_hidden_layers":6,"tie_word_embeddings":true,"eos_token_id":0})";
  std::ofstream(folder / "config.json") << config;
}

ArchitectureTable ArchitecturesWithHybrid() {
  static constexpr Architecture kHybrid = {
      kName, [](const JsonValue& config) { return HasModelType(config, kName); }, &Load,
      [](const model_files::ModelFiles&) { return std::string("{}"); }, nullptr};
  static const std::vector<const Architecture*> all = [] {
    std::vector<const Architecture*> table(Architectures().begin(), Architectures().end());
    table.push_back(&kHybrid);
    return table;
  }();
  return all;
}

}  // namespace statelib
