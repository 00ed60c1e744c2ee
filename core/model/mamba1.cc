// SPDX-License-Identifier: Apache-2.0
// Mamba-1 (Gu & Dao 2023): config, tensors, state and forward pass, written once against the kernel
// interface. The residual stream, the gate order and the Euler input term are those of the
// published implementations (state-spaces/mamba, huggingface/transformers).
#include <cmath>

#include "core/base/error.h"
#include "core/model/architectures.h"
#include "core/model/weight_reader.h"
#include "kernels/reference/math.h"

namespace statelib::model {

namespace {

using kernels::Buffer;
using kernels::ConstRows;
using kernels::Epilogue;
using kernels::Matrix;
using kernels::Rows;
using kernels::SequenceRows;
using kernels::WeightView;

/// Dimensions by the letters of the literature.
struct Mamba1Config {
  int64_t vocabulary;  // V
  int64_t hidden;      // D
  int64_t inner;       // E
  int64_t states;      // N
  int64_t dt_rank;     // R
  int64_t kernel;      // K
  int64_t layers;
  float norm_epsilon;
  bool use_bias_required;  // the config says so; without a word the tensors decide
  bool use_bias_allowed;
  bool use_conv_bias;
  bool tied_head;
  std::vector<TokenId> end_of_text_ids;
};

bool FlagOr(const JsonValue& config, std::string_view key, bool otherwise) {
  const auto value = config.Find(key);
  return value ? value->Bool() : otherwise;
}

std::vector<TokenId> ParseEndOfText(const JsonValue& config, int64_t vocabulary) {
  std::vector<TokenId> ids;
  const auto value = config.Find("eos_token_id");
  const auto add = [&](const JsonValue& id) {
    ids.push_back(static_cast<TokenId>(id.Int(0, vocabulary - 1)));
  };
  if (value && value->IsArray()) value->ForEach(add);
  if (value && !value->IsArray()) add(*value);
  return ids;
}

int64_t ParseDtRank(const JsonValue& config, int64_t hidden) {
  const auto rank = config.Find("time_step_rank");
  if (!rank || (rank->IsString() && rank->String() == "auto")) return (hidden + 15) / 16;
  return rank->Int(1, 65536);
}

int64_t ParseInner(const JsonValue& config, int64_t hidden) {
  constexpr int64_t kInnerMax = 1 << 20;
  const auto expand = config.Find("expand");
  const double product =
      std::floor((expand ? expand->Number() : 2.0) * static_cast<double>(hidden));
  if (!(product >= 1 && product <= kInnerMax)) {
    Throw(ErrorKind::kCorrupt, "{}: expected expand * hidden_size between 1 and {}, found {}",
          config.Path(), kInnerMax, product);
  }
  const auto inner = static_cast<int64_t>(product);
  const auto stated = config.Find("intermediate_size");
  if (stated && stated->Int(1, kInnerMax) != inner) {
    Throw(ErrorKind::kCorrupt, "{}: expected expand * hidden_size = {}, found {}", stated->Path(),
          inner, stated->Int(1, kInnerMax));
  }
  return inner;
}

Mamba1Config ParseConfig(const JsonValue& config) {
  Mamba1Config parsed{};
  parsed.vocabulary = config["vocab_size"].Int(1, 1 << 24);
  parsed.hidden = config["hidden_size"].Int(1, 1 << 16);
  parsed.inner = ParseInner(config, parsed.hidden);
  parsed.states = config["state_size"].Int(1, 1024);
  parsed.dt_rank = ParseDtRank(config, parsed.hidden);
  parsed.kernel = config["conv_kernel"].Int(1, 64);
  parsed.layers = config["num_hidden_layers"].Int(1, 4096);
  const auto epsilon = config.Find("layer_norm_epsilon");
  parsed.norm_epsilon = epsilon ? static_cast<float>(epsilon->Number()) : 1e-5f;
  parsed.use_bias_required = FlagOr(config, "use_bias", false);
  parsed.use_bias_allowed = FlagOr(config, "use_bias", true);
  parsed.use_conv_bias = FlagOr(config, "use_conv_bias", true);
  parsed.tied_head = FlagOr(config, "tie_word_embeddings", true);
  parsed.end_of_text_ids = ParseEndOfText(config, parsed.vocabulary);
  const auto act = config.Find("hidden_act");
  if (act && act->String() != "silu" && act->String() != "swish") {
    Throw(ErrorKind::kUnsupported, "{}: expected \"silu\", found \"{}\"", act->Path(),
          act->String());
  }
  return parsed;
}

StateSpec MakeStateSpec(const Mamba1Config& config) {
  StateSpec spec;
  for (int32_t layer = 0; layer < config.layers; ++layer) {
    // Oldest input first. A kernel of one keeps no inputs, yet a segment of every kind stands in
    // every layer.
    spec.push_back({layer,
                    SegmentKind::kConv,
                    DType::kF32,
                    {config.kernel - 1, config.inner},
                    "time,channel"});
    spec.push_back(
        {layer, SegmentKind::kSsm, DType::kF32, {config.states, config.inner}, "state,channel"});
  }
  spec.push_back({-1, SegmentKind::kHidden, DType::kF32, {config.hidden}, "hidden"});
  return spec;
}

/// One layer's weights as they lie in the checkpoint (matrices) and in the backend (the rest).
struct Mamba1Layer {
  WeightView in_proj_view, x_proj_view, dt_proj_view, out_proj_view;
  std::unique_ptr<Matrix> in_proj;   // [2E, D]: x above z
  std::unique_ptr<Matrix> x_proj;    // [R + 2N, E]: dt, B, C
  std::unique_ptr<Matrix> dt_proj;   // [E, R]
  std::unique_ptr<Matrix> out_proj;  // [D, E]
  Buffer norm;                       // [D]
  Buffer in_bias, out_bias;          // [2E], [D], or empty
  Buffer conv_weight, conv_bias;     // [K, E], [E]
  Buffer dt_bias;                    // [E]
  Buffer a;                          // [N, E] = -exp(A_log), transposed
  Buffer d;                          // [E]
};

Mamba1Layer ReadLayer(WeightReader& reader, const Mamba1Config& config, int64_t index) {
  const std::string block = fmt::format("backbone.layers.{}.", index), mixer = block + "mixer.";
  const auto [v, d, e, n, r, k] = std::tuple(config.vocabulary, config.hidden, config.inner,
                                             config.states, config.dt_rank, config.kernel);
  Mamba1Layer layer;
  layer.in_proj_view = reader.Matrix(mixer + "in_proj.weight", 2 * e, d);
  layer.x_proj_view = reader.Matrix(mixer + "x_proj.weight", r + 2 * n, e);
  layer.dt_proj_view = reader.Matrix(mixer + "dt_proj.weight", e, r);
  layer.out_proj_view = reader.Matrix(mixer + "out_proj.weight", d, e);
  layer.norm = reader.Vector(block + "norm.weight", d);
  const auto bias = [&](const std::string& name, int64_t size) {
    const bool wanted = config.use_bias_required || (config.use_bias_allowed && reader.Has(name));
    return wanted ? reader.Vector(name, size) : Buffer();
  };
  layer.in_bias = bias(mixer + "in_proj.bias", 2 * e);
  layer.out_bias = bias(mixer + "out_proj.bias", d);
  const auto size = [](int64_t extent) { return static_cast<size_t>(extent); };
  layer.conv_weight = reader.Upload(
      Transposed(reader.Values(mixer + "conv1d.weight", {e, 1, k}), size(e), size(k)));
  layer.conv_bias = config.use_conv_bias ? reader.Vector(mixer + "conv1d.bias", e)
                                         : reader.Upload(std::vector<float>(size(e), 0.0f));
  layer.dt_bias = reader.Vector(mixer + "dt_proj.bias", e);
  std::vector<float> a = Transposed(reader.Values(mixer + "A_log", {e, n}), size(e), size(n));
  // The runtime's own exp, for the states' bits must not depend on the machine's libm.
  for (float& value : a) value = -kernels::reference::Exp(value);
  layer.a = reader.Upload(a);
  layer.d = reader.Vector(mixer + "D", e);
  return layer;
}

class Mamba1 : public Model {
 public:
  Mamba1(const checkpoint::Checkpoint& checkpoint, kernels::Backend& backend)
      : backend_(backend),
        config_(ParseConfig(checkpoint.config())),
        spec_(MakeStateSpec(config_)) {
    WeightReader reader(checkpoint, backend);
    const std::string embedding = "backbone.embeddings.weight";
    embeddings_ = backend.Pack(reader.Matrix(embedding, config_.vocabulary, config_.hidden));
    if (!config_.tied_head)
      head_ = backend.Pack(reader.Matrix("lm_head.weight", config_.vocabulary, config_.hidden));
    final_norm_ = reader.Vector("backbone.norm_f.weight", config_.hidden);
    for (int64_t i = 0; i < config_.layers; ++i) layers_.push_back(ReadLayer(reader, config_, i));
    info_ = {"mamba",        config_.vocabulary,  config_.layers,
             config_.hidden, reader.parameters(), config_.end_of_text_ids};
  }

  const ModelInfo& info() const override { return info_; }
  const StateSpec& state_spec() const override { return spec_; }

  void Advance(std::span<const SequenceInput> batch) override {
    Prepare();
    std::vector<TokenId> tokens;
    for (const SequenceInput& sequence : batch) {
      tokens.insert(tokens.end(), sequence.tokens.begin(), sequence.tokens.end());
    }
    const size_t d = Hidden();
    const Rows residual{residual_.data(), tokens.size(), d, d};
    backend_.Embed(*embeddings_, tokens, residual);
    for (size_t i = 0; i < layers_.size(); ++i) AdvanceLayer(layers_[i], i, batch, residual);
    size_t row = 0;
    for (const SequenceInput& sequence : batch) {
      row += sequence.tokens.size();
      backend_.RmsNorm(Rows{residual_.data() + (row - 1) * d, 1, d, d}, final_norm_.data(),
                       config_.norm_epsilon, {sequence.segments.back(), 1, d, d});
    }
  }

  void Logits(ConstRows hidden, Rows out) override {
    backend_.MatMul(head_ ? *head_ : *embeddings_, nullptr, hidden, Epilogue::kStore, out);
  }

 private:
  size_t Hidden() const { return static_cast<size_t>(config_.hidden); }

  /// The layers are brought into the backend's form when a first token is read: generation from a
  /// stored state starts with the head alone.
  void Prepare() {
    if (residual_.size() != 0) return;
    for (Mamba1Layer& layer : layers_) {
      layer.in_proj = backend_.Pack(layer.in_proj_view);
      layer.x_proj = backend_.Pack(layer.x_proj_view);
      layer.dt_proj = backend_.Pack(layer.dt_proj_view);
      layer.out_proj = backend_.Pack(layer.out_proj_view);
    }
    const size_t e = static_cast<size_t>(config_.inner);
    normed_ = backend_.Allocate(rows_max * Hidden());
    x_and_z_ = backend_.Allocate(rows_max * 2 * e);
    x_ = backend_.Allocate(rows_max * e);
    dt_b_c_ =
        backend_.Allocate(rows_max * static_cast<size_t>(config_.dt_rank + 2 * config_.states));
    dt_ = backend_.Allocate(rows_max * e);
    residual_ = backend_.Allocate(rows_max * Hidden());
  }

  /// The rows of each sequence, with the segment `index` of its state.
  static std::vector<SequenceRows> RowsOf(std::span<const SequenceInput> batch, size_t index) {
    std::vector<SequenceRows> sequences;
    size_t row = 0;
    for (const SequenceInput& sequence : batch) {
      sequences.push_back({row, sequence.tokens.size(), sequence.segments[index]});
      row += sequence.tokens.size();
    }
    return sequences;
  }

  void AdvanceLayer(Mamba1Layer& layer, size_t index, std::span<const SequenceInput> batch,
                    Rows residual) {
    const size_t rows = residual.rows, d = Hidden(), e = static_cast<size_t>(config_.inner);
    const size_t r = static_cast<size_t>(config_.dt_rank), n = static_cast<size_t>(config_.states);
    const Rows normed{normed_.data(), rows, d, d};
    const Rows x_and_z{x_and_z_.data(), rows, 2 * e, 2 * e};
    const Rows x{x_.data(), rows, e, e};
    const Rows dt_b_c{dt_b_c_.data(), rows, r + 2 * n, r + 2 * n};
    const Rows dt{dt_.data(), rows, e, e};
    const auto bias = [](const Buffer& buffer) {
      return buffer.size() == 0 ? nullptr : buffer.data();
    };

    backend_.RmsNorm(residual, layer.norm.data(), config_.norm_epsilon, normed);
    backend_.MatMul(*layer.in_proj, bias(layer.in_bias), normed, Epilogue::kStore, x_and_z);
    const auto conv_states = RowsOf(batch, 2 * index), ssm_states = RowsOf(batch, 2 * index + 1);
    backend_.CausalConv({x_and_z.Columns(0, e), layer.conv_weight.data(), layer.conv_bias.data(),
                         static_cast<size_t>(config_.kernel), conv_states, x});
    backend_.MatMul(*layer.x_proj, nullptr, x, Epilogue::kStore, dt_b_c);
    backend_.MatMul(*layer.dt_proj, layer.dt_bias.data(), dt_b_c.Columns(0, r), Epilogue::kSoftplus,
                    dt);
    backend_.SelectiveScan({x, dt, dt_b_c.Columns(r, n), dt_b_c.Columns(r + n, n),
                            x_and_z.Columns(e, e), layer.a.data(), layer.d.data(), ssm_states, x});
    backend_.MatMul(*layer.out_proj, bias(layer.out_bias), x, Epilogue::kAdd, residual);
  }

  kernels::Backend& backend_;
  Mamba1Config config_;
  StateSpec spec_;
  ModelInfo info_;
  std::unique_ptr<Matrix> embeddings_;
  std::unique_ptr<Matrix> head_;  // empty when tied
  Buffer final_norm_;
  std::vector<Mamba1Layer> layers_;
  // Activations of one call, [rows_max, …].
  Buffer residual_, normed_, x_and_z_, x_, dt_b_c_, dt_;
};

}  // namespace

bool RecognisesMamba1(const JsonValue& config) {
  const auto type = config.Find("model_type");
  return type && type->IsString() && type->String() == "mamba";
}

std::unique_ptr<Model> LoadMamba1(const checkpoint::Checkpoint& checkpoint,
                                  kernels::Backend& backend) {
  return std::make_unique<Mamba1>(checkpoint, backend);
}

}  // namespace statelib::model
