// SPDX-License-Identifier: Apache-2.0
// Mamba-2 (Dao & Gu 2024): config, tensors, state and forward pass against the kernel interface.
// The scan runs the recurrence in token order, not the chunked form, so that the bits do not depend
// on how a text is cut.
//
// The mean of the gated norm is taken over each group's channels, as the code does that trained the
// published models (state-spaces/mamba), and huggingface/transformers since 5.23. Before, that
// averaged over the whole width; a model that was trained so says "mixer_norm_groups": 1 in its
// config.json. With one group both are the same.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/model/architectures.h"
#include "core/model/config_fields.h"
#include "core/model/gguf_form.h"
#include "core/model/layer_stack.h"
#include "core/model_files/config_json.h"

namespace statelib::model {

namespace {

using kernels::Buffer;
using kernels::Epilogue;
using kernels::Rows;

constexpr const char* kName = "mamba2";
constexpr const char* kFirstGatedNorm = "backbone.layers.0.mixer.norm.weight";

enum LayerSegment : size_t { kConvState, kSsmState };

/// Dimensions by the letters of the literature; E = H * P.
struct Mamba2Config {
  ModelDims dims;
  int64_t heads = 0;       // H
  int64_t head_width = 0;  // P
  int64_t states = 0;      // N
  int64_t groups = 0;      // G
  int64_t kernel = 0;      // K
  int64_t norm_groups = 0;
  bool gated_norm = true;  // false: the gate alone
  float dt_min = 0.0f;
  float dt_max = std::numeric_limits<float>::infinity();
  std::optional<bool> use_bias;  // of in_proj and out_proj; without a word the tensors decide
  bool use_conv_bias = true;

  int64_t inner() const { return heads * head_width; }                 // E
  int64_t convolved() const { return inner() + 2 * groups * states; }  // x, B and C
  int64_t projected() const { return inner() + convolved() + heads; }  // z, x, B, C and dt
};

void ParseTimeStepLimit(const JsonValue& config, std::string_view key, Mamba2Config& parsed) {
  const auto limit = config.Find(key);
  if (!limit) return;
  std::vector<float> bounds;
  limit->ForEach([&](const JsonValue& bound) {
    bounds.push_back(static_cast<float>(model_files::ExtendedNumber(bound)));
  });
  if (bounds.size() != 2 || !(bounds[0] <= bounds[1])) {
    Throw(ErrorKind::kCorrupt, "{}: expected a smallest and a largest time step", limit->Path());
  }
  parsed.dt_min = bounds[0];
  parsed.dt_max = bounds[1];
}

void CheckHeads(const JsonValue& config, const Mamba2Config& parsed, int64_t expanded) {
  if (parsed.inner() != expanded) {
    Throw(ErrorKind::kCorrupt,
          "{}: expected heads * head width = expand * hidden size = {}, found {} * {}",
          config.Path(), expanded, parsed.heads, parsed.head_width);
  }
  for (const int64_t groups : {parsed.groups, parsed.norm_groups}) {
    if (parsed.heads % groups == 0) continue;
    Throw(ErrorKind::kCorrupt, "{}: expected groups that divide the {} heads, found {}",
          config.Path(), parsed.heads, groups);
  }
}

Mamba2Config ParseHuggingFace(const model_files::ModelFiles& model_files) {
  const JsonValue config = model_files.config();
  Mamba2Config parsed;
  parsed.dims = DimsFromHuggingFace(config, kName, false);
  parsed.heads = config["num_heads"].Int(1, kWidthMax);
  parsed.head_width = config["head_dim"].Int(1, kWidthMax);
  parsed.states = config["state_size"].Int(1, kStatesMax);
  parsed.groups = config["n_groups"].Int(1, kWidthMax);
  parsed.kernel = config["conv_kernel"].Int(1, kKernelMax);
  parsed.norm_groups = IntOr(config, "mixer_norm_groups", 1, kWidthMax, parsed.groups);
  // transformers knows no mixer without this norm, so that configurations beside one may say
  // anything here.
  parsed.gated_norm =
      Flag(config, "rms_norm").value_or(true) || model_files.Find(kFirstGatedNorm) != nullptr;
  ParseTimeStepLimit(config, "time_step_limit", parsed);
  parsed.use_bias = Flag(config, "use_bias");
  parsed.use_conv_bias = Flag(config, "use_conv_bias").value_or(true);
  CheckHeads(config, parsed, ExpandedWidth(config, parsed.dims.hidden));
  return parsed;
}

Mamba2Config ParseOriginal(const JsonValue& config) {
  const JsonValue layer = OriginalLayerOf(config);
  Mamba2Config parsed;
  parsed.dims = DimsFromOriginal(config, kName, 16);
  const int64_t inner = ExpandedWidth(layer, parsed.dims.hidden);
  if (IntOr(layer, "d_ssm", 1, kWidthMax, inner) != inner) {
    Throw(ErrorKind::kUnsupported, "{}: an MLP beside the scan is not computed by statelib",
          layer["d_ssm"].Path());
  }
  if (Flag(layer, "norm_before_gate").value_or(false)) {
    Throw(ErrorKind::kUnsupported, "{}: expected false, found true",
          layer["norm_before_gate"].Path());
  }
  parsed.head_width = IntOr(layer, "headdim", 1, kWidthMax, 64);
  parsed.heads = std::max<int64_t>(inner / parsed.head_width, 1);
  parsed.states = IntOr(layer, "d_state", 1, kStatesMax, 128);
  parsed.groups = IntOr(layer, "ngroups", 1, kWidthMax, 1);
  parsed.kernel = IntOr(layer, "d_conv", 1, kKernelMax, 4);
  parsed.norm_groups = IntOr(config, "mixer_norm_groups", 1, kWidthMax, parsed.groups);
  parsed.gated_norm = Flag(layer, "rmsnorm").value_or(true);
  ParseTimeStepLimit(layer, "dt_limit", parsed);
  parsed.use_bias = Flag(layer, "bias").value_or(false);
  parsed.use_conv_bias = Flag(layer, "conv_bias").value_or(true);
  CheckHeads(config, parsed, inner);
  return parsed;
}

StateSpec LayerSpec(const Mamba2Config& config) {
  return {
      {0, SegmentKind::kConv, DType::kF32, {config.kernel - 1, config.convolved()}, "time,channel"},
      {0,
       SegmentKind::kSsm,
       DType::kF32,
       {config.heads, config.states, config.head_width},
       "head,state,channel"}};
}

struct Mamba2Layer {
  MatrixRef in_proj;                 // [2E + 2GN + H, D]: z, x, B, C, dt
  MatrixRef out_proj;                // [D, E]
  VectorRef norm;                    // [D]
  VectorRef in_bias, out_bias;       // [2E + 2GN + H], [D], or none
  VectorRef conv_weight, conv_bias;  // [K, E + 2GN], [E + 2GN]
  VectorRef dt_bias, a;              // [H]
  VectorRef d;                       // [E]
  VectorRef gated_norm;              // [E], or none
};

class Mamba2 : public LayerStack {
 public:
  Mamba2(const Mamba2Config& config, const model_files::ModelFiles& model_files,
         kernels::Backend& backend)
      : LayerStack(config.dims, LayerSpec(config), model_files, backend), config_(config) {
    for (int64_t i = 0; i < config_.dims.layers; ++i) layers_.push_back(ReadLayer(i));
    Finish();
    if (config_.gated_norm && !Flag(model_files.config(), "rms_norm").value_or(true))
      Note("the configuration says rms_norm false beside the weights of that norm: it is used");
    if (config_.gated_norm && config_.groups > 1) DoubtNormGroups();
  }

 protected:
  void AllocateActivations() override {
    const auto rows_of = [this](int64_t width) {
      return backend().Allocate(rows_max() * static_cast<size_t>(width));
    };
    normed_ = rows_of(config_.dims.hidden);
    projected_ = rows_of(config_.projected());
    x_b_c_ = rows_of(config_.convolved());
    y_ = rows_of(config_.inner());
  }

  void AdvanceLayer(size_t index, const kernels::SequenceTable& sequences, Rows residual) override {
    Mamba2Layer& layer = layers_[index];
    const auto size = [](int64_t extent) { return static_cast<size_t>(extent); };
    const size_t rows = residual.rows, d = residual.cols, e = size(config_.inner()),
                 c = size(config_.convolved());
    const size_t h = size(config_.heads), gn = size(config_.groups * config_.states),
                 all = size(config_.projected());
    const Rows normed{normed_.data(), rows, d, d};
    const Rows projected{projected_.data(), rows, all, all};
    const Rows x_b_c{x_b_c_.data(), rows, c, c};
    const Rows y{y_.data(), rows, e, e};
    const size_t conv_state = StateOf(index, kConvState), ssm_state = StateOf(index, kSsmState);

    backend().RmsNorm(residual, layer.norm.data(), config_.dims.norm_epsilon, normed);
    backend().MatMulThenConv(
        *layer.in_proj, layer.in_bias.data(), normed, projected,
        {projected.Columns(e, c), layer.conv_weight.data(), layer.conv_bias.data(),
         size(config_.kernel), sequences, conv_state, x_b_c});
    backend().Mamba2Scan({x_b_c.Columns(0, e), projected.Columns(e + c, h), x_b_c.Columns(e, gn),
                          x_b_c.Columns(e + gn, gn), projected.Columns(0, e), layer.dt_bias.data(),
                          layer.a.data(), layer.d.data(), config_.dt_min, config_.dt_max,
                          size(config_.groups), sequences, ssm_state, y});
    if (config_.gated_norm) NormaliseGroups(layer, y);
    backend().MatMul(*layer.out_proj, layer.out_bias.data(), y, Epilogue::kAdd, residual);
  }

 private:
  void DoubtNormGroups() {
    if (config_.norm_groups == config_.groups) {
      Doubt(fmt::format(
          "the gated norm averages each of {} groups, as published models were trained; one that "
          "averages the whole width, as transformers before 5.23 did, needs --set "
          "mixer_norm_groups=1",
          config_.groups));
    } else {
      Doubt(fmt::format(
          "the gated norm averages over {} of the width, as mixer_norm_groups says; published "
          "models average each of their groups, which is --set mixer_norm_groups={}",
          config_.norm_groups == 1 ? "the whole"
                                   : fmt::format("one part in {}", config_.norm_groups),
          config_.groups));
    }
  }

  void NormaliseGroups(Mamba2Layer& layer, Rows y) {
    const size_t width = y.cols / static_cast<size_t>(config_.norm_groups);
    for (size_t first = 0; first < y.cols; first += width) {
      const Rows group = y.Columns(first, width);
      backend().RmsNorm(group, layer.gated_norm.data() + first, config_.dims.norm_epsilon, group);
    }
  }

  /// D of each channel: the file has one a head or one a channel.
  VectorRef Skip(const std::string& name) {
    if (weights().ElementsOf(name) == config_.inner())
      return weights().Vector(name, config_.inner());
    const auto width = static_cast<size_t>(config_.head_width);
    return weights().Vector(name, {config_.heads}, [width](const std::vector<float>& heads) {
      std::vector<float> channels;
      for (const float value : heads) channels.insert(channels.end(), width, value);
      return channels;
    });
  }

  Mamba2Layer ReadLayer(int64_t index) {
    const std::string block = fmt::format("backbone.layers.{}.", index), mixer = block + "mixer.";
    const int64_t d = config_.dims.hidden, e = config_.inner(), c = config_.convolved();
    Mamba2Layer layer;
    layer.in_proj = weights().Matrix(mixer + "in_proj.weight", config_.projected(), d);
    layer.out_proj = weights().Matrix(mixer + "out_proj.weight", d, e);
    layer.norm = weights().Vector(block + "norm.weight", d);
    layer.in_bias = OptionalVector(config_.use_bias, mixer + "in_proj.bias", config_.projected());
    layer.out_bias = OptionalVector(config_.use_bias, mixer + "out_proj.bias", d);
    layer.conv_weight = ConvolutionTaps(mixer + "conv1d.weight", c, config_.kernel);
    layer.conv_bias = VectorOrZeros(config_.use_conv_bias, mixer + "conv1d.bias", c);
    layer.dt_bias = weights().Vector(mixer + "dt_bias", config_.heads);
    layer.a = Decays(mixer, {config_.heads});
    layer.d = Skip(mixer + "D");
    if (config_.gated_norm) layer.gated_norm = weights().Vector(mixer + "norm.weight", e);
    return layer;
  }

  Mamba2Config config_;
  std::vector<Mamba2Layer> layers_;
  // Activations of one call, [rows_max(), …].
  Buffer normed_, projected_, x_b_c_, y_;
};

/// As newer writers spell it, infinity in an object of its own.
std::string TimeStepLimitJson(const Mamba2Config& config) {
  const auto json = [](float bound) {
    if (std::isfinite(bound)) return JsonObject::Shortest(bound);
    return fmt::format(R"({{"__float__": "{}Infinity"}})", bound < 0 ? "-" : "");
  };
  return fmt::format("[{}, {}]", json(config.dt_min), json(config.dt_max));
}

Mamba2Config Parse(const model_files::ModelFiles& model_files) {
  return HasModelType(model_files.config(), kName) ? ParseHuggingFace(model_files)
                                                   : ParseOriginal(model_files.config());
}

}  // namespace

bool RecognisesMamba2(const JsonValue& config) {
  return HasModelType(config, kName) || HasOriginalLayer(config, "Mamba2");
}

std::unique_ptr<Model> LoadMamba2(const model_files::ModelFiles& model_files,
                                  kernels::Backend& backend) {
  return std::make_unique<Mamba2>(Parse(model_files), model_files, backend);
}

std::string PublishedConfigOfMamba2(const model_files::ModelFiles& model_files) {
  const Mamba2Config config = Parse(model_files);
  const bool has_bias = model_files.Find("backbone.layers.0.mixer.in_proj.bias") != nullptr;
  const auto size = [](int64_t extent) { return static_cast<uint64_t>(extent); };
  JsonObject json;
  AddDims(config.dims, model_files, json);
  json.Add("intermediate_size", size(config.inner()));
  json.AddNumber("expand",
                 static_cast<double>(config.inner()) / static_cast<double>(config.dims.hidden));
  json.Add("num_heads", size(config.heads));
  json.Add("head_dim", size(config.head_width));
  json.Add("state_size", size(config.states));
  json.Add("n_groups", size(config.groups));
  json.Add("mixer_norm_groups", size(config.norm_groups));
  json.Add("conv_kernel", size(config.kernel));
  json.Add("chunk_size", 256);
  json.AddBool("rms_norm", config.gated_norm);
  json.AddRaw("time_step_limit", TimeStepLimitJson(config));
  json.AddBool("use_bias", config.use_bias.value_or(has_bias));
  json.AddBool("use_conv_bias", config.use_conv_bias);
  return json.Finish();
}

// -------------------------------------------------------------------------------------- GGUF

namespace {

// Some configurations spell "without a bound" as this number.
constexpr double kTimeStepUnbounded = 1e30;

std::span<const GgufName> GgufLayerNames() {
  static constexpr GgufName kNames[] = {
      {"attn_norm.weight", "norm.weight"},
      {"ssm_in.weight", "mixer.in_proj.weight"},
      {"ssm_conv1d.weight", "mixer.conv1d.weight", GgufReshape::kConv},
      {"ssm_conv1d.bias", "mixer.conv1d.bias"},
      {"ssm_dt.bias", "mixer.dt_bias"},
      {"ssm_a", "mixer.A", GgufReshape::kColumn},
      {"ssm_d", "mixer.D", GgufReshape::kColumn},
      {"ssm_norm.weight", "mixer.norm.weight", GgufReshape::kGroups},
      {"ssm_out.weight", "mixer.out_proj.weight"},
  };
  return kNames;
}

std::string ConfigOfGguf(const GgufSource& file) {
  JsonObject config;
  file.AddRecurrentDims(kName, &config);
  const uint64_t inner = file.Size("ssm.inner_size");
  const uint64_t heads = file.Size("ssm.time_step_rank");  // so is the head count called there
  if (inner % heads != 0) {
    Throw(ErrorKind::kCorrupt,
          "{}: metadata: expected mamba2.ssm.inner_size in whole heads, found {} for {} heads",
          file.path(), inner, heads);
  }
  config.Add("num_heads", heads);
  config.Add("head_dim", inner / heads);
  config.Add("n_groups", file.Size("ssm.group_count"));
  config.Add("chunk_size", 256);
  config.AddRaw("time_step_limit", R"([0.0, {"__float__": "Infinity"}])");
  file.AddCommonFacts(&config);
  return config.Finish();
}

void RequireSayableInGguf(const GgufTarget& model) {
  const JsonValue& config = model.config();
  model.RefuseProjectionBiases();
  model.Refuse(!config["rms_norm"].Bool(), "a gate without a norm (rms_norm false)");
  model.Refuse(model.Size("mixer_norm_groups") != model.Size("n_groups"),
               "other groups of the gated norm than of the heads (mixer_norm_groups)");
  std::vector<double> limit;
  config["time_step_limit"].ForEach(
      [&](const JsonValue& bound) { limit.push_back(model_files::ExtendedNumber(bound)); });
  model.Refuse(limit[0] > 0 || limit[1] < kTimeStepUnbounded,
               "a clamp of the time step (time_step_limit)");
  const std::vector<int64_t> one_a_head = {static_cast<int64_t>(model.Size("num_heads"))};
  for (const model_files::TensorToWrite& tensor : model.tensors()) {
    model.Refuse(tensor.name.ends_with(".mixer.D") && tensor.shape != one_a_head,
                 "a weight of the skip for each channel of a head (mixer.D)");
  }
}

void DescribeInGguf(GgufTarget* model) {
  model->AddRecurrentDims();
  model->AddSize("ssm.time_step_rank", model->Size("num_heads"));
  model->AddSize("ssm.group_count", model->Size("n_groups"));
  model->AddNormEpsilon();
}

}  // namespace

constexpr GgufForm kMamba2Gguf = {
    .architecture = kName,
    .layer_names = &GgufLayerNames,
    .recognises = [](const GgufSource&) { return true; },
    .config = &ConfigOfGguf,
    .require_sayable = &RequireSayableInGguf,
    .describe = &DescribeInGguf,
};

}  // namespace statelib::model
