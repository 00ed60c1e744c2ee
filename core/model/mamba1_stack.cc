// SPDX-License-Identifier: Apache-2.0
#include "core/model/mamba1_stack.h"

#include <fmt/format.h>

#include "core/base/json_object.h"
#include "core/model/config_fields.h"

namespace statelib::model {

std::string PublishedConfigOf(const Mamba1StackConfig& config,
                              const model_files::ModelFiles& model_files) {
  const bool has_bias = model_files.Find("backbone.layers.0.mixer.in_proj.bias") != nullptr;
  JsonObject json;
  AddDims(config.dims, model_files, json);
  json.Add("intermediate_size", static_cast<uint64_t>(config.mixer.inner));
  json.AddNumber("expand",
                 static_cast<double>(config.mixer.inner) / static_cast<double>(config.dims.hidden));
  json.Add("state_size", static_cast<uint64_t>(config.mixer.states));
  json.Add("time_step_rank", static_cast<uint64_t>(config.mixer.dt_rank));
  json.Add("conv_kernel", static_cast<uint64_t>(config.mixer.kernel));
  json.AddBool("use_bias", config.mixer.use_bias.value_or(has_bias));
  json.AddBool("use_conv_bias", config.mixer.use_conv_bias);
  if (config.mixer.dt_b_c_norm_epsilon)
    json.AddNumber("mixer_rms_eps", *config.mixer.dt_b_c_norm_epsilon);
  return json.Finish();
}

std::unique_ptr<Model> LoadMamba1Stack(const Mamba1StackConfig& config,
                                       const model_files::ModelFiles& model_files,
                                       kernels::Backend& backend) {
  Mamba1Facts facts = config.mixer;
  facts.hidden = config.dims.hidden;
  auto stack = std::make_unique<LayerStack>(config.dims, model_files, backend);
  for (int32_t i = 0; i < config.dims.layers; ++i) {
    const std::string block = fmt::format("backbone.layers.{}.", i);
    stack->AddBlock(i, block + "norm.weight",
                    std::make_unique<Mamba1Mixer>(facts, block + "mixer.", stack->weights()));
  }
  stack->Finish();
  return stack;
}

// GGUF's words for Mamba-1, which FalconMamba's files use too.

std::span<const GgufName> Mamba1GgufNames() {
  static constexpr GgufName kNames[] = {
      {"attn_norm.weight", "norm.weight"},
      {"ssm_in.weight", "mixer.in_proj.weight"},
      {"ssm_conv1d.weight", "mixer.conv1d.weight", GgufReshape::kConv},
      {"ssm_conv1d.bias", "mixer.conv1d.bias"},
      {"ssm_x.weight", "mixer.x_proj.weight"},
      {"ssm_dt.weight", "mixer.dt_proj.weight"},
      {"ssm_dt.bias", "mixer.dt_proj.bias"},
      {"ssm_a", "mixer.A"},
      {"ssm_d", "mixer.D"},
      {"ssm_out.weight", "mixer.out_proj.weight"},
  };
  return kNames;
}

bool HasInnerNormsInGguf(const GgufSource& file) { return file.Flag("ssm.dt_b_c_rms"); }

std::string Mamba1ConfigOfGguf(const GgufSource& file, std::string_view model_type) {
  JsonObject config;
  file.AddRecurrentDims(model_type, &config);
  config.Add("time_step_rank", file.Size("ssm.time_step_rank"));
  file.AddCommonFacts(&config);
  return config.Finish();
}

void DescribeMamba1InGguf(GgufTarget* model) {
  model->AddRecurrentDims();
  model->AddSize("ssm.time_step_rank", model->Size("time_step_rank"));
  model->AddNormEpsilon();
}

}  // namespace statelib::model
