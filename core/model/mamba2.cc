// SPDX-License-Identifier: Apache-2.0
// Mamba-2 (Dao & Gu 2024): config, tensors, state and forward pass against the kernel interface.
// The scan runs the recurrence in token order, not the chunked form, so that the bits do not depend
// on how a text is cut.
//
// The mean of the gated norm is taken over each group's channels, as the code does that trained the
// published models (state-spaces/mamba), and huggingface/transformers since 5.23. Before, that
// averaged over the whole width; a model that was trained so says "mixer_norm_groups": 1 in its
// config.json. With one group both are the same.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/model/architectures.h"
#include "core/model/config_fields.h"
#include "core/model/gguf_form.h"
#include "core/model/layer_stack.h"
#include "core/model/parts/mamba2_mixer.h"
#include "core/model_files/config_json.h"

namespace statelib::model {

namespace {

constexpr const char* kName = "mamba2";
constexpr const char* kFirstGatedNorm = "backbone.layers.0.mixer.norm.weight";

struct Mamba2Config {
  ModelDims dims;
  Mamba2Facts mixer;
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
  parsed.mixer.dt_min = bounds[0];
  parsed.mixer.dt_max = bounds[1];
}

void CheckHeads(const JsonValue& config, const Mamba2Config& parsed, int64_t expanded) {
  if (parsed.mixer.inner() != expanded) {
    Throw(ErrorKind::kCorrupt,
          "{}: expected heads * head width = expand * hidden size = {}, found {} * {}",
          config.Path(), expanded, parsed.mixer.heads, parsed.mixer.head_width);
  }
  for (const int64_t groups : {parsed.mixer.groups, parsed.mixer.norm_groups}) {
    if (parsed.mixer.heads % groups == 0) continue;
    Throw(ErrorKind::kCorrupt, "{}: expected groups that divide the {} heads, found {}",
          config.Path(), parsed.mixer.heads, groups);
  }
}

Mamba2Config ParseHuggingFace(const model_files::ModelFiles& model_files) {
  const JsonValue config = model_files.config();
  Mamba2Config parsed;
  parsed.dims = DimsFromHuggingFace(config, kName, false);
  parsed.mixer.heads = config["num_heads"].Int(1, kWidthMax);
  parsed.mixer.head_width = config["head_dim"].Int(1, kWidthMax);
  parsed.mixer.states = config["state_size"].Int(1, kStatesMax);
  parsed.mixer.groups = config["n_groups"].Int(1, kWidthMax);
  parsed.mixer.kernel = config["conv_kernel"].Int(1, kKernelMax);
  parsed.mixer.norm_groups = IntOr(config, "mixer_norm_groups", 1, kWidthMax, parsed.mixer.groups);
  // transformers knows no mixer without this norm, so that configurations beside one may say
  // anything here.
  const bool is_normed =
      Flag(config, "rms_norm").value_or(true) || model_files.Find(kFirstGatedNorm) != nullptr;
  parsed.mixer.norm = is_normed ? GatedNorm::kAfterGate : GatedNorm::kNone;
  ParseTimeStepLimit(config, "time_step_limit", parsed);
  parsed.mixer.use_bias = Flag(config, "use_bias");
  parsed.mixer.use_conv_bias = Flag(config, "use_conv_bias").value_or(true);
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
  parsed.mixer.head_width = IntOr(layer, "headdim", 1, kWidthMax, 64);
  parsed.mixer.heads = std::max<int64_t>(inner / parsed.mixer.head_width, 1);
  parsed.mixer.states = IntOr(layer, "d_state", 1, kStatesMax, 128);
  parsed.mixer.groups = IntOr(layer, "ngroups", 1, kWidthMax, 1);
  parsed.mixer.kernel = IntOr(layer, "d_conv", 1, kKernelMax, 4);
  parsed.mixer.norm_groups = IntOr(config, "mixer_norm_groups", 1, kWidthMax, parsed.mixer.groups);
  parsed.mixer.norm =
      Flag(layer, "rmsnorm").value_or(true) ? GatedNorm::kAfterGate : GatedNorm::kNone;
  ParseTimeStepLimit(layer, "dt_limit", parsed);
  parsed.mixer.use_bias = Flag(layer, "bias").value_or(false);
  parsed.mixer.use_conv_bias = Flag(layer, "conv_bias").value_or(true);
  CheckHeads(config, parsed, inner);
  return parsed;
}

/// What the configuration leaves open of a gated norm in several groups.
std::string NormGroupsDoubt(const Mamba2Facts& facts) {
  if (facts.norm_groups == facts.groups) {
    return fmt::format(
        "the gated norm averages each of {} groups, as published models were trained; one that "
        "averages the whole width, as transformers before 5.23 did, needs --set "
        "mixer_norm_groups=1",
        facts.groups);
  }
  return fmt::format(
      "the gated norm averages over {} of the width, as mixer_norm_groups says; published models "
      "average each of their groups, which is --set mixer_norm_groups={}",
      facts.norm_groups == 1 ? "the whole" : fmt::format("one part in {}", facts.norm_groups),
      facts.groups);
}

/// As newer writers spell it, infinity in an object of its own.
std::string TimeStepLimitJson(const Mamba2Config& config) {
  const auto json = [](float bound) {
    if (std::isfinite(bound)) return JsonObject::Shortest(bound);
    return fmt::format(R"({{"__float__": "{}Infinity"}})", bound < 0 ? "-" : "");
  };
  return fmt::format("[{}, {}]", json(config.mixer.dt_min), json(config.mixer.dt_max));
}

Mamba2Config Parse(const model_files::ModelFiles& model_files) {
  return HasModelType(model_files.config(), kName) ? ParseHuggingFace(model_files)
                                                   : ParseOriginal(model_files.config());
}

bool Recognises(const JsonValue& config) {
  return HasModelType(config, kName) || HasOriginalLayer(config, "Mamba2");
}

std::unique_ptr<Model> Load(const model_files::ModelFiles& model_files, kernels::Backend& backend) {
  const Mamba2Config config = Parse(model_files);
  Mamba2Facts facts = config.mixer;
  facts.hidden = config.dims.hidden;
  facts.norm_epsilon = config.dims.norm_epsilon;
  auto stack = std::make_unique<LayerStack>(config.dims, model_files, backend);
  for (int32_t i = 0; i < config.dims.layers; ++i) {
    const std::string block = fmt::format("backbone.layers.{}.", i);
    stack->AddBlock(i, block + "norm.weight",
                    std::make_unique<Mamba2Mixer>(facts, block + "mixer.", stack->weights()));
  }
  stack->Finish();
  const bool is_normed = facts.norm != GatedNorm::kNone;
  if (is_normed && !Flag(model_files.config(), "rms_norm").value_or(true))
    stack->Note(
        "the configuration says rms_norm false beside the weights of that norm: it is used");
  if (is_normed && facts.groups > 1) stack->Doubt(NormGroupsDoubt(facts));
  return stack;
}

std::string PublishedConfigOfFiles(const model_files::ModelFiles& model_files) {
  const Mamba2Config config = Parse(model_files);
  const bool has_bias = model_files.Find("backbone.layers.0.mixer.in_proj.bias") != nullptr;
  const auto size = [](int64_t extent) { return static_cast<uint64_t>(extent); };
  JsonObject json;
  AddDims(config.dims, model_files, json);
  json.Add("intermediate_size", size(config.mixer.inner()));
  json.AddNumber("expand", static_cast<double>(config.mixer.inner()) /
                               static_cast<double>(config.dims.hidden));
  json.Add("num_heads", size(config.mixer.heads));
  json.Add("head_dim", size(config.mixer.head_width));
  json.Add("state_size", size(config.mixer.states));
  json.Add("n_groups", size(config.mixer.groups));
  json.Add("mixer_norm_groups", size(config.mixer.norm_groups));
  json.Add("conv_kernel", size(config.mixer.kernel));
  json.Add("chunk_size", 256);
  json.AddBool("rms_norm", config.mixer.norm != GatedNorm::kNone);
  json.AddRaw("time_step_limit", TimeStepLimitJson(config));
  json.AddBool("use_bias", config.mixer.use_bias.value_or(has_bias));
  json.AddBool("use_conv_bias", config.mixer.use_conv_bias);
  return json.Finish();
}

// -------------------------------------------------------------------------------------- GGUF

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

constexpr GgufForm kGguf = {
    .architecture = kName,
    .layer_names = &GgufLayerNames,
    .recognises = [](const GgufSource&) { return true; },
    .config = &ConfigOfGguf,
    .require_sayable = &RequireSayableInGguf,
    .describe = &DescribeInGguf,
};

}  // namespace

extern const Architecture kMamba2 = {kName, &Recognises, &Load, &PublishedConfigOfFiles, &kGguf};

}  // namespace statelib::model
