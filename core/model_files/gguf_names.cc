// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/gguf_names.h"

namespace statelib::model_files {

namespace {

constexpr GgufName kModelNames[] = {
    {"token_embd.weight", "backbone.embeddings.weight"},
    {"output_norm.weight", "backbone.norm_f.weight"},
    {"output.weight", "lm_head.weight"},
};

constexpr GgufName kMambaNames[] = {
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

constexpr GgufName kMamba2Names[] = {
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

}  // namespace

std::span<const GgufName> GgufModelNames() { return kModelNames; }

std::span<const GgufName> GgufLayerNames(bool is_mamba2) {
  if (is_mamba2) return kMamba2Names;
  return kMambaNames;
}

LayerTensorName SplitLayerName(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return {};
  name.remove_prefix(prefix.size());
  const size_t dot = name.find('.');
  if (dot == 0 || dot == name.npos) return {};
  const std::string_view layer = name.substr(0, dot);
  if (layer.find_first_not_of("0123456789") != layer.npos) return {};
  return {layer, name.substr(dot + 1)};
}

}  // namespace statelib::model_files
