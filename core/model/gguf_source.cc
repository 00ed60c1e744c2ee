// SPDX-License-Identifier: Apache-2.0
#include "core/model/gguf_source.h"

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/model_files/tensor_text.h"

namespace statelib::model {

namespace {

using model_files::GgufValue;

constexpr uint64_t kSizeMax = uint64_t{1} << 31;
constexpr uint64_t kLayersMax = 100'000;

}  // namespace

GgufSource::GgufSource(const model_files::GgufMetadata& metadata,
                       const model_files::TensorTable& tensors, const std::string& path)
    : metadata_(metadata),
      tensors_(tensors),
      path_(path),
      architecture_(metadata.Get("general.architecture").String()) {}

uint64_t GgufSource::SizeUpTo(std::string_view key, uint64_t max) const {
  const std::string full = fmt::format("{}.{}", architecture_, key);
  const uint64_t size = metadata_.Get(full).Uint(max);
  if (size == 0) {
    Throw(ErrorKind::kCorrupt, "{}: metadata {}: expected at least 1, found 0", path_,
          Quoted(full));
  }
  return size;
}

uint64_t GgufSource::Size(std::string_view key) const { return SizeUpTo(key, kSizeMax); }

bool GgufSource::Flag(std::string_view key) const {
  const GgufValue* value = metadata_.Find(fmt::format("{}.{}", architecture_, key));
  return value != nullptr && value->Bool();
}

void GgufSource::AddRecurrentDims(std::string_view model_type, JsonObject* config) const {
  const uint64_t hidden = Size("embedding_length");
  const uint64_t inner = Size("ssm.inner_size");
  config->AddWord("model_type", model_type);
  config->Add("vocab_size", VocabularySize(hidden));
  config->Add("hidden_size", hidden);
  config->Add("num_hidden_layers", SizeUpTo("block_count", kLayersMax));
  config->Add("intermediate_size", inner);
  config->AddNumber("expand", static_cast<double>(inner) / static_cast<double>(hidden));
  config->Add("state_size", Size("ssm.state_size"));
  config->Add("conv_kernel", Size("ssm.conv_kernel"));
}

void GgufSource::AddCommonFacts(JsonObject* config) const {
  const std::string epsilon = fmt::format("{}.attention.layer_norm_rms_epsilon", architecture_);
  config->AddNumber("layer_norm_epsilon", static_cast<float>(metadata_.Get(epsilon).Number()));
  config->AddBool("use_bias", false);
  config->AddBool("use_conv_bias", Has("blk.0.ssm_conv1d.bias"));
  config->AddBool("tie_word_embeddings", !Has("output.weight"));
  config->AddWord("hidden_act", "silu");
  config->AddBool("residual_in_fp32", true);
  AddTokenId("bos", config);
  AddTokenId("eos", config);
}

uint64_t GgufSource::VocabularySize(uint64_t hidden) const {
  const model_files::TensorRef& embedding = tensors_.Get("token_embd.weight");
  if (embedding.shape.size() != 2 || embedding.shape[1] != static_cast<int64_t>(hidden)) {
    Throw(ErrorKind::kCorrupt, "{}: expected the shape [tokens, {}], found {}", embedding.Label(),
          hidden, model_files::ShapeText(embedding.shape));
  }
  return static_cast<uint64_t>(embedding.shape[0]);
}

void GgufSource::AddTokenId(std::string_view which, JsonObject* config) const {
  const GgufValue* value = metadata_.Find(fmt::format("tokenizer.ggml.{}_token_id", which));
  if (value != nullptr) config->Add(fmt::format("{}_token_id", which), value->Uint(kSizeMax));
}

}  // namespace statelib::model
