// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_CONFIG_FIELDS_H_
#define STATELIB_CORE_MODEL_CONFIG_FIELDS_H_

#include <optional>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/base/json_object.h"
#include "core/model/layer_stack.h"

/// Fields that the configurations of several architectures share. Errors name the field: kCorrupt,
/// kUnsupported.
namespace statelib::model {

// Far above every published model, and small enough that no product of two of them overflows.
inline constexpr int64_t kVocabularyMax = 1 << 24;
inline constexpr int64_t kWidthMax = 1 << 20;
inline constexpr int64_t kLayersMax = 4096;
inline constexpr int64_t kStatesMax = 1024;
inline constexpr int64_t kKernelMax = 64;

std::optional<bool> Flag(const JsonValue& config, std::string_view key);
int64_t IntOr(const JsonValue& config, std::string_view key, int64_t min, int64_t max,
              int64_t otherwise);
float NumberOr(const JsonValue& config, std::string_view key, float otherwise);
/// An integer, or ceil(hidden / 16) for "auto" or nothing.
int64_t DtRank(const JsonValue& config, std::string_view key, int64_t hidden);
/// floor(expand * hidden), expand 2 when missing.
int64_t ExpandedWidth(const JsonValue& config, int64_t hidden);

/// Whether a configuration is in Hugging Face's form with this "model_type".
bool HasModelType(const JsonValue& config, std::string_view type);
/// What every configuration in that form says of the dimensions.
ModelDims DimsFromHuggingFace(const JsonValue& config, const std::string& architecture,
                              bool tied_by_default);

/// Whether a configuration is in the original state-spaces form with this layer: "Mamba1", which is
/// also what a file without a word means, or "Mamba2".
bool HasOriginalLayer(const JsonValue& config, std::string_view layer);
/// What every configuration in that form says of the dimensions. The vocabulary is padded to a
/// multiple, `pad_multiple` when the file has no word on it. Errors: also kUnsupported for
/// attention layers, gated MLPs and LayerNorm.
ModelDims DimsFromOriginal(const JsonValue& config, const std::string& architecture,
                           int64_t pad_multiple);
/// Writes the dimensions, with the head that is used and the ids of special tokens that the model's
/// configuration names, in Hugging Face's form.
void AddDims(const ModelDims& dims, const model_files::ModelFiles& model_files, JsonObject& to);

/// "ssm_cfg", where that form describes a layer; the config itself when it is missing: defaults
/// then hold.
JsonValue OriginalLayerOf(const JsonValue& config);

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_CONFIG_FIELDS_H_
