// SPDX-License-Identifier: Apache-2.0
// Mamba-1 as published: what the Hugging Face and the original state-spaces configurations say of
// the network.
#include "core/base/error.h"
#include "core/model/architectures.h"
#include "core/model/config_fields.h"
#include "core/model/mamba1_stack.h"

namespace statelib::model {

namespace {

constexpr const char* kName = "mamba";

Mamba1StackConfig ParseHuggingFace(const JsonValue& config) {
  Mamba1StackConfig parsed;
  parsed.dims = DimsFromHuggingFace(config, kName, true);
  parsed.mixer.inner = ExpandedWidth(config, parsed.dims.hidden);
  if (IntOr(config, "intermediate_size", 1, kWidthMax, parsed.mixer.inner) != parsed.mixer.inner) {
    Throw(ErrorKind::kCorrupt, "{}: expected expand * hidden_size = {}, found {}",
          config["intermediate_size"].Path(), parsed.mixer.inner,
          config["intermediate_size"].Int(1, kWidthMax));
  }
  parsed.mixer.states = config["state_size"].Int(1, kStatesMax);
  parsed.mixer.dt_rank = DtRank(config, "time_step_rank", parsed.dims.hidden);
  parsed.mixer.kernel = config["conv_kernel"].Int(1, kKernelMax);
  parsed.mixer.use_bias = Flag(config, "use_bias");
  parsed.mixer.use_conv_bias = Flag(config, "use_conv_bias").value_or(true);
  return parsed;
}

Mamba1StackConfig ParseOriginal(const JsonValue& config) {
  const JsonValue layer = OriginalLayerOf(config);
  Mamba1StackConfig parsed;
  parsed.dims = DimsFromOriginal(config, kName, 8);
  parsed.mixer.inner = ExpandedWidth(layer, parsed.dims.hidden);
  parsed.mixer.states = IntOr(layer, "d_state", 1, kStatesMax, 16);
  parsed.mixer.dt_rank = DtRank(layer, "dt_rank", parsed.dims.hidden);
  parsed.mixer.kernel = IntOr(layer, "d_conv", 1, kKernelMax, 4);
  parsed.mixer.use_bias = Flag(layer, "bias").value_or(false);
  parsed.mixer.use_conv_bias = Flag(layer, "conv_bias").value_or(true);
  return parsed;
}

Mamba1StackConfig Parse(const JsonValue& config) {
  return HasModelType(config, kName) ? ParseHuggingFace(config) : ParseOriginal(config);
}

bool Recognises(const JsonValue& config) {
  return HasModelType(config, kName) || HasOriginalLayer(config, "Mamba1");
}

std::unique_ptr<Model> Load(const model_files::ModelFiles& model_files, kernels::Backend& backend) {
  return LoadMamba1Stack(Parse(model_files.config()), model_files, backend);
}

std::string PublishedConfigOfFiles(const model_files::ModelFiles& model_files) {
  return PublishedConfigOf(Parse(model_files.config()), model_files);
}

constexpr GgufForm kGguf = {
    .architecture = "mamba",
    .layer_names = &Mamba1GgufNames,
    .recognises = [](const GgufSource& file) { return !HasInnerNormsInGguf(file); },
    .config = [](const GgufSource& file) { return Mamba1ConfigOfGguf(file, kName); },
    .require_sayable = [](const GgufTarget& model) { model.RefuseProjectionBiases(); },
    .describe = &DescribeMamba1InGguf,
};

}  // namespace

extern const Architecture kMamba1 = {kName, &Recognises, &Load, &PublishedConfigOfFiles, &kGguf};

}  // namespace statelib::model
