// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_GGUF_NAMES_H_
#define STATELIB_CORE_MODEL_GGUF_NAMES_H_

#include <span>
#include <string_view>

namespace statelib::model {

/// How a published shape becomes GGUF's and back; the elements keep their order.
enum class GgufReshape {
  kNone,
  kConv,    ///< [channels, 1, taps] <-> [channels, taps]
  kColumn,  ///< [heads] <-> [heads, 1]
  kGroups,  ///< [all] <-> [groups, width], as many as n_groups says
};

/// One tensor under both names.
struct GgufName {
  std::string_view gguf;
  std::string_view published;
  GgufReshape reshape = GgufReshape::kNone;
};

/// The tensors of the whole model, which all architectures call alike.
std::span<const GgufName> GgufModelNames();

inline constexpr std::string_view kGgufLayerPrefix = "blk.";
inline constexpr std::string_view kPublishedLayerPrefix = "backbone.layers.";

/// A layer's tensor name in its parts: "blk.12.ssm_in.weight" behind "blk." is "12" and
/// "ssm_in.weight"; both are empty when the name is of another form.
struct LayerTensorName {
  std::string_view layer;
  std::string_view rest;
};
LayerTensorName SplitLayerName(std::string_view name, std::string_view prefix);

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_GGUF_NAMES_H_
