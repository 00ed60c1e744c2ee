// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/gguf_model.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/json_object.h"
#include "core/base/printable.h"
#include "core/model_files/gguf_names.h"
#include "core/model_files/tensor_text.h"

namespace statelib::model_files {

namespace {

constexpr uint64_t kSizeMax = uint64_t{1} << 31;
constexpr uint64_t kLayersMax = 100'000;

class Translator {
 public:
  Translator(const GgufMetadata& metadata, const TensorTable& tensors, const std::string& path)
      : metadata_(metadata),
        tensors_(tensors),
        path_(path),
        architecture_(metadata.Get("general.architecture").String()),
        is_mamba2_(architecture_ == "mamba2") {
    if (architecture_ != "mamba" && !is_mamba2_) {
      Throw(ErrorKind::kUnsupported,
            "{}: metadata \"general.architecture\": expected \"mamba\" or \"mamba2\", found {}",
            path_, Quoted(architecture_));
    }
    const GgufValue* parts = metadata.Find("split.count");
    if (parts != nullptr && parts->Uint(kSizeMax) > 1) {
      Throw(ErrorKind::kUnsupported,
            "{}: expected a model in one file, found one of {} parts; merge them with "
            "llama-gguf-split --merge",
            path_, parts->Uint(kSizeMax));
    }
  }

  GgufTranslation Translate() const {
    GgufTranslation translation;
    translation.config = Config();
    for (const TensorRef& tensor : tensors_.all()) {
      translation.tensors.push_back(Published(tensor));
    }
    return translation;
  }

 private:
  uint64_t Size(std::string_view key, uint64_t max = kSizeMax) const {
    const std::string full = fmt::format("{}.{}", architecture_, key);
    const uint64_t size = metadata_.Get(full).Uint(max);
    if (size == 0) {
      Throw(ErrorKind::kCorrupt, "{}: metadata {}: expected at least 1, found 0", path_,
            Quoted(full));
    }
    return size;
  }

  bool Has(std::string_view tensor) const { return tensors_.Find(tensor) != nullptr; }

  std::string Config() const {
    const bool falcon = Flag("ssm.dt_b_c_rms");
    const uint64_t hidden = Size("embedding_length");
    const uint64_t inner = Size("ssm.inner_size");
    JsonObject config;
    config.AddWord("model_type", is_mamba2_ ? "mamba2" : (falcon ? "falcon_mamba" : "mamba"));
    config.Add("vocab_size", VocabularySize(hidden));
    config.Add("hidden_size", hidden);
    config.Add("num_hidden_layers", Size("block_count", kLayersMax));
    config.Add("intermediate_size", inner);
    config.AddNumber("expand", static_cast<double>(inner) / static_cast<double>(hidden));
    config.Add("state_size", Size("ssm.state_size"));
    config.Add("conv_kernel", Size("ssm.conv_kernel"));
    if (is_mamba2_) {
      AddHeads(inner, &config);
    } else {
      config.Add("time_step_rank", Size("ssm.time_step_rank"));
    }
    config.AddNumber("layer_norm_epsilon", Epsilon());
    config.AddBool("use_bias", false);
    config.AddBool("use_conv_bias", Has("blk.0.ssm_conv1d.bias"));
    config.AddBool("tie_word_embeddings", !Has("output.weight"));
    config.AddWord("hidden_act", "silu");
    config.AddBool("residual_in_fp32", true);
    AddTokenId("bos", &config);
    AddTokenId("eos", &config);
    return config.Finish();
  }

  void AddHeads(uint64_t inner, JsonObject* config) const {
    const uint64_t heads = Size("ssm.time_step_rank");  // so is the head count called there
    if (inner % heads != 0) {
      Throw(ErrorKind::kCorrupt,
            "{}: metadata: expected mamba2.ssm.inner_size in whole heads, found {} for {} heads",
            path_, inner, heads);
    }
    config->Add("num_heads", heads);
    config->Add("head_dim", inner / heads);
    config->Add("n_groups", Size("ssm.group_count"));
    config->Add("chunk_size", 256);
    config->AddRaw("time_step_limit", R"([0.0, {"__float__": "Infinity"}])");
  }

  bool Flag(std::string_view key) const {
    const GgufValue* value = metadata_.Find(fmt::format("{}.{}", architecture_, key));
    return value != nullptr && value->Bool();
  }

  uint64_t VocabularySize(uint64_t hidden) const {
    const TensorRef& embedding = tensors_.Get("token_embd.weight");
    if (embedding.shape.size() != 2 || embedding.shape[1] != static_cast<int64_t>(hidden)) {
      Throw(ErrorKind::kCorrupt, "{}: expected the shape [tokens, {}], found {}", embedding.Label(),
            hidden, ShapeText(embedding.shape));
    }
    return static_cast<uint64_t>(embedding.shape[0]);
  }

  float Epsilon() const {
    const std::string key = fmt::format("{}.attention.layer_norm_rms_epsilon", architecture_);
    return static_cast<float>(metadata_.Get(key).Number());
  }

  void AddTokenId(std::string_view which, JsonObject* config) const {
    const GgufValue* value = metadata_.Find(fmt::format("tokenizer.ggml.{}_token_id", which));
    if (value != nullptr) config->Add(fmt::format("{}_token_id", which), value->Uint(kSizeMax));
  }

  TensorRef Published(const TensorRef& tensor) const {
    const auto model_names = GgufModelNames();
    const auto whole = std::ranges::find(model_names, tensor.name, &GgufName::gguf);
    if (whole != model_names.end()) return Renamed(tensor, *whole, "");
    const auto [layer, rest] = SplitLayerName(tensor.name, kGgufLayerPrefix);
    const auto layer_names = GgufLayerNames(is_mamba2_);
    const auto name = std::ranges::find(layer_names, rest, &GgufName::gguf);
    if (name != layer_names.end()) {
      return Renamed(tensor, *name, fmt::format("{}{}.", kPublishedLayerPrefix, layer));
    }
    Throw(ErrorKind::kUnsupported, "{}: expected a tensor of the architecture {}, found another",
          tensor.Label(), Quoted(architecture_));
  }

  static TensorRef Renamed(TensorRef tensor, const GgufName& name, const std::string& prefix) {
    tensor.name = prefix + std::string(name.published);
    if (name.reshape == GgufReshape::kColumn || name.reshape == GgufReshape::kGroups) {
      tensor.shape = {tensor.elements()};
    } else if (name.reshape == GgufReshape::kConv && tensor.shape.size() == 2) {
      tensor.shape.insert(tensor.shape.begin() + 1, 1);
    }
    return tensor;
  }

  const GgufMetadata& metadata_;
  const TensorTable& tensors_;
  const std::string& path_;
  std::string architecture_;
  bool is_mamba2_;
};

}  // namespace

GgufTranslation TranslateGguf(const GgufMetadata& metadata, const TensorTable& tensors,
                              const std::string& path) {
  return Translator(metadata, tensors, path).Translate();
}

}  // namespace statelib::model_files
