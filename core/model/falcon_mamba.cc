// SPDX-License-Identifier: Apache-2.0
// FalconMamba: Mamba-1 whose dt, B and C are each normalised without weights. Its configuration
// states the inner width; the published one's `expand` does not fit it and is ignored, as by its
// authors' code.
#include "core/model/architectures.h"
#include "core/model/config_fields.h"
#include "core/model/mamba1_stack.h"

namespace statelib::model {

namespace {

constexpr const char* kName = "falcon_mamba";
constexpr float kInnerEpsilon = 1e-6f;

Mamba1StackConfig Parse(const JsonValue& config) {
  Mamba1StackConfig parsed;
  parsed.dims = DimsFromHuggingFace(config, kName, true);
  parsed.mixer.inner = config.Find("intermediate_size")
                           ? config["intermediate_size"].Int(1, kWidthMax)
                           : ExpandedWidth(config, parsed.dims.hidden);
  parsed.mixer.states = config["state_size"].Int(1, kStatesMax);
  parsed.mixer.dt_rank = DtRank(config, "time_step_rank", parsed.dims.hidden);
  parsed.mixer.kernel = config["conv_kernel"].Int(1, kKernelMax);
  parsed.mixer.use_bias = Flag(config, "use_bias").value_or(false);
  parsed.mixer.use_conv_bias = Flag(config, "use_conv_bias").value_or(true);
  parsed.mixer.dt_b_c_norm_epsilon = NumberOr(config, "mixer_rms_eps", kInnerEpsilon);
  return parsed;
}

// Files of it are those of "mamba" that say that they have the inner norms.

void RequireSayable(const GgufTarget& model) {
  model.RefuseProjectionBiases();
  // The format has no word for it: readers take this one.
  const auto epsilon = static_cast<float>(model.config()["mixer_rms_eps"].Number());
  model.Refuse(epsilon != kInnerEpsilon, "an epsilon of the inner norms (mixer_rms_eps)");
}

void Describe(GgufTarget* model) {
  DescribeMamba1InGguf(model);
  model->AddBool("ssm.dt_b_c_rms", true);
}

bool Recognises(const JsonValue& config) { return HasModelType(config, kName); }

std::unique_ptr<Model> Load(const model_files::ModelFiles& model_files, kernels::Backend& backend) {
  return LoadMamba1Stack(Parse(model_files.config()), model_files, backend);
}

std::string PublishedConfigOfFiles(const model_files::ModelFiles& model_files) {
  return PublishedConfigOf(Parse(model_files.config()), model_files);
}

constexpr GgufForm kGguf = {
    .architecture = "mamba",
    .layer_names = &Mamba1GgufNames,
    .recognises = &HasInnerNormsInGguf,
    .config = [](const GgufSource& file) { return Mamba1ConfigOfGguf(file, kName); },
    .require_sayable = &RequireSayable,
    .describe = &Describe,
};

}  // namespace

extern const Architecture kFalconMamba = {kName, &Recognises, &Load, &PublishedConfigOfFiles,
                                          &kGguf};

}  // namespace statelib::model
