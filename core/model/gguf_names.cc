// SPDX-License-Identifier: Apache-2.0
#include "core/model/gguf_names.h"

namespace statelib::model {

namespace {

constexpr GgufName kModelNames[] = {
    {"token_embd.weight", "backbone.embeddings.weight"},
    {"output_norm.weight", "backbone.norm_f.weight"},
    {"output.weight", "lm_head.weight"},
};

}  // namespace

std::span<const GgufName> GgufModelNames() { return kModelNames; }

LayerTensorName SplitLayerName(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return {};
  name.remove_prefix(prefix.size());
  const size_t dot = name.find('.');
  if (dot == 0 || dot == name.npos) return {};
  const std::string_view layer = name.substr(0, dot);
  if (layer.find_first_not_of("0123456789") != layer.npos) return {};
  return {layer, name.substr(dot + 1)};
}

}  // namespace statelib::model
