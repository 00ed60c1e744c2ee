// SPDX-License-Identifier: Apache-2.0
#include "core/model/config_fields.h"

#include <fmt/ranges.h>

#include <cmath>

#include "core/base/error.h"
#include "core/base/printable.h"

namespace statelib::model {

namespace {

std::vector<TokenId> EndOfTextIds(const JsonValue& config, int64_t vocabulary) {
  std::vector<TokenId> ids;
  const auto add = [&](const JsonValue& id) {
    ids.push_back(static_cast<TokenId>(id.Int(0, vocabulary - 1)));
  };
  const auto value = config.Find("eos_token_id");
  if (value && value->IsArray()) value->ForEach(add);
  if (value && !value->IsArray()) add(*value);
  return ids;
}

void RequireSilu(const JsonValue& config) {
  const auto act = config.Find("hidden_act");
  if (act && act->String() != "silu" && act->String() != "swish") {
    Throw(ErrorKind::kUnsupported, "{}: expected \"silu\", found {}", act->Path(),
          Quoted(act->String()));
  }
}

}  // namespace

std::optional<bool> Flag(const JsonValue& config, std::string_view key) {
  const auto value = config.Find(key);
  return value ? std::optional(value->Bool()) : std::nullopt;
}

int64_t IntOr(const JsonValue& config, std::string_view key, int64_t min, int64_t max,
              int64_t otherwise) {
  const auto value = config.Find(key);
  return value ? value->Int(min, max) : otherwise;
}

float NumberOr(const JsonValue& config, std::string_view key, float otherwise) {
  const auto value = config.Find(key);
  return value ? static_cast<float>(value->Number()) : otherwise;
}

int64_t DtRank(const JsonValue& config, std::string_view key, int64_t hidden) {
  const auto rank = config.Find(key);
  if (!rank || (rank->IsString() && rank->String() == "auto")) return (hidden + 15) / 16;
  return rank->Int(1, kWidthMax);
}

int64_t ExpandedWidth(const JsonValue& config, int64_t hidden) {
  const auto expand = config.Find("expand");
  const double width = std::floor((expand ? expand->Number() : 2.0) * static_cast<double>(hidden));
  if (!(width >= 1 && width <= static_cast<double>(kWidthMax))) {
    Throw(ErrorKind::kCorrupt, "{}: expected expand times the hidden size from 1 to {}, found {}",
          config.Path(), kWidthMax, width);
  }
  return static_cast<int64_t>(width);
}

bool HasModelType(const JsonValue& config, std::string_view type) {
  const auto found = config.Find("model_type");
  return found && found->IsString() && found->String() == type;
}

ModelDims DimsFromHuggingFace(const JsonValue& config, const std::string& architecture,
                              bool tied_by_default) {
  RequireSilu(config);
  ModelDims dims;
  dims.architecture = architecture;
  dims.vocabulary = config["vocab_size"].Int(1, kVocabularyMax);
  dims.hidden = config["hidden_size"].Int(1, kWidthMax);
  dims.layers = config["num_hidden_layers"].Int(1, kLayersMax);
  dims.norm_epsilon = NumberOr(config, "layer_norm_epsilon", 1e-5f);
  dims.tied_head = Flag(config, "tie_word_embeddings").value_or(tied_by_default);
  dims.end_of_text_ids = EndOfTextIds(config, dims.vocabulary);
  return dims;
}

bool HasOriginalLayer(const JsonValue& config, std::string_view layer) {
  if (config.Find("model_type") || !config.Find("d_model") || !config.Find("n_layer")) return false;
  const auto ssm = config.Find("ssm_cfg");
  const auto named = ssm && ssm->IsObject() ? ssm->Find("layer") : std::nullopt;
  return (named && named->IsString() ? named->String() : "Mamba1") == layer;
}

ModelDims DimsFromOriginal(const JsonValue& config, const std::string& architecture,
                           int64_t pad_multiple) {
  const auto refuse = [&](bool found, const char* what) {
    if (found)
      Throw(ErrorKind::kUnsupported, "{}: {} are not computed by statelib", config.Path(), what);
  };
  const auto attention = config.Find("attn_layer_idx");
  refuse(attention && attention->size() > 0, "attention layers (attn_layer_idx)");
  refuse(IntOr(config, "d_intermediate", 0, kWidthMax, 0) > 0, "gated MLPs (d_intermediate)");
  refuse(!Flag(config, "rms_norm").value_or(true), "LayerNorms (rms_norm false)");
  const int64_t multiple = IntOr(config, "pad_vocab_size_multiple", 1, 1 << 16, pad_multiple);
  ModelDims dims;
  dims.architecture = architecture;
  dims.vocabulary =
      (config["vocab_size"].Int(1, kVocabularyMax) + multiple - 1) / multiple * multiple;
  dims.hidden = config["d_model"].Int(1, kWidthMax);
  dims.layers = config["n_layer"].Int(1, kLayersMax);
  dims.norm_epsilon = 1e-5f;  // fixed in the code that trained these files
  dims.tied_head = Flag(config, "tie_embeddings").value_or(true);
  dims.end_of_text_ids = {
      0};  // not in these files; token 0 of the tokenizer that they were trained with
  return dims;
}

void AddDims(const ModelDims& dims, const model_files::ModelFiles& model_files, JsonObject& to) {
  const JsonValue config = model_files.config();
  const auto add = [&](const char* key, int64_t value) {
    to.Add(key, static_cast<uint64_t>(value));
  };
  to.AddWord("model_type", dims.architecture);
  add("vocab_size", dims.vocabulary);
  add("hidden_size", dims.hidden);
  add("num_hidden_layers", dims.layers);
  to.AddNumber("layer_norm_epsilon", dims.norm_epsilon);
  to.AddBool("tie_word_embeddings", HasTiedHead(model_files, dims.tied_head));
  to.AddWord("hidden_act", "silu");
  to.AddBool("residual_in_fp32", true);
  for (const char* key : {"bos_token_id", "pad_token_id"}) {
    const auto id = config.Find(key);
    if (id && id->IsNumber()) add(key, id->Int(0, dims.vocabulary - 1));
  }
  if (dims.end_of_text_ids.size() == 1) add("eos_token_id", dims.end_of_text_ids[0]);
  if (dims.end_of_text_ids.size() > 1) {
    to.AddRaw("eos_token_id", fmt::format("[{}]", fmt::join(dims.end_of_text_ids, ", ")));
  }
}

JsonValue OriginalLayerOf(const JsonValue& config) {
  return config.Find("ssm_cfg").value_or(config);
}

}  // namespace statelib::model
