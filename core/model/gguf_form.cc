// SPDX-License-Identifier: Apache-2.0
// GGUF's words for a model. Source: the GGUF specification and llama.cpp's converter.
#include "core/model/gguf_form.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/model/gguf_tokenizer.h"
#include "core/model_files/gguf_names.h"
#include "core/model_files/gguf_writer.h"

namespace statelib::model {

namespace {

using model_files::ElementType;
using model_files::GgufName;
using model_files::GgufReshape;
using model_files::TensorToWrite;

constexpr int64_t kSizeMax = INT64_C(1) << 31;
// llama.cpp writes this for every recurrent model: it has no length of its own.
constexpr uint64_t kContextLength = 1 << 20;
constexpr uint64_t kQuantizationVersion = 2;
constexpr float kFalconInnerEpsilon = 1e-6f;
// Some configurations spell "without a bound" as this number.
constexpr double kTimeStepUnbounded = 1e30;

/// general.file_type: what most of the bytes are.
uint64_t FileTypeOf(std::span<const TensorToWrite> tensors) {
  uint64_t most = 0, file_type = 0;
  for (const model_files::ElementTypeInfo& type : model_files::ElementTypes()) {
    uint64_t bytes = 0;
    for (const TensorToWrite& tensor : tensors) {
      if (NameOf(tensor.type) != type.name) continue;
      bytes += model_files::StorageBytes(tensor.type, tensor.shape).value_or(0);
    }
    if (type.gguf_file && bytes > most)
      std::tie(most, file_type) = std::pair(bytes, *type.gguf_file);
  }
  return file_type;
}

class GgufForm {
 public:
  GgufForm(const JsonValue& config, const std::string& path) : config_(config), path_(path) {
    const std::string_view type = config["model_type"].String();
    is_mamba2_ = type == "mamba2";
    is_falcon_ = type == "falcon_mamba";
    RefuseWhatCannotBeSaid();
  }

  void Describe(std::span<const TensorToWrite> tensors, const std::string& name) {
    metadata.AddString("general.architecture", Prefix());
    metadata.AddString("general.name", name);
    metadata.AddU32("general.file_type", FileTypeOf(tensors));
    if (std::ranges::any_of(tensors, [](const TensorToWrite& t) { return IsBlockType(t.type); })) {
      metadata.AddU32("general.quantization_version", kQuantizationVersion);
    }
    AddSize("context_length", kContextLength);
    AddSize("embedding_length", Size("hidden_size"));
    AddSize("feed_forward_length", 0);
    AddSize("attention.head_count", 0);
    AddSize("block_count", Size("num_hidden_layers"));
    AddSize("ssm.conv_kernel", Size("conv_kernel"));
    AddSize("ssm.inner_size", Size("intermediate_size"));
    AddSize("ssm.state_size", Size("state_size"));
    AddSize("ssm.time_step_rank", Size(is_mamba2_ ? "num_heads" : "time_step_rank"));
    if (is_mamba2_) AddSize("ssm.group_count", Size("n_groups"));
    metadata.AddF32(Key("attention.layer_norm_rms_epsilon"),
                    static_cast<float>(config_["layer_norm_epsilon"].Number()));
    if (is_falcon_) metadata.AddBool(Key("ssm.dt_b_c_rms"), true);
  }

  /// The tensor under GGUF's name, in its shape.
  TensorToWrite Renamed(TensorToWrite tensor) const {
    const auto model_names = model_files::GgufModelNames();
    const auto whole = std::ranges::find(model_names, tensor.name, &GgufName::published);
    if (whole != model_names.end()) {
      tensor.name = whole->gguf;
      return tensor;
    }
    const auto [layer, rest] =
        model_files::SplitLayerName(tensor.name, model_files::kPublishedLayerPrefix);
    const auto names = model_files::GgufLayerNames(is_mamba2_);
    const auto name = std::ranges::find(names, rest, &GgufName::published);
    if (is_mamba2_ && rest == "mixer.D") {
      const std::vector<int64_t> one_a_head = {static_cast<int64_t>(Size("num_heads"))};
      Refuse(tensor.shape != one_a_head,
             "a weight of the skip for each channel of a head (mixer.D)");
    }
    if (name == names.end()) {
      Throw(ErrorKind::kUnsupported,
            "{}: tensor {}: GGUF has no place for it; choose --to statelib or --to safetensors",
            path_, Quoted(tensor.name));
    }
    tensor.name = fmt::format("{}{}.{}", model_files::kGgufLayerPrefix, layer, name->gguf);
    Reshape(tensor.shape, name->reshape);
    return tensor;
  }

  /// The biases of the convolutions, all zero, where the configuration has none: the format's
  /// readers want them.
  void SetConvolutionBiases(std::vector<TensorToWrite>* tensors) const {
    if (config_["use_conv_bias"].Bool()) return;
    std::erase_if(*tensors, [](const TensorToWrite& t) { return t.name.ends_with("conv1d.bias"); });
    const uint64_t layers = Size("num_hidden_layers");
    const auto channels = static_cast<int64_t>(ConvolvedChannels());
    for (uint64_t layer = 0; layer < layers; ++layer) {
      TensorToWrite bias{fmt::format("{}{}.ssm_conv1d.bias", model_files::kGgufLayerPrefix, layer),
                         ElementType::kF32,
                         {channels}};
      bias.stream = [channels](const model_files::ByteSink& sink) {
        sink(Bytes(static_cast<size_t>(channels) * sizeof(float)));
      };
      tensors->push_back(std::move(bias));
    }
  }

  /// What other programs cannot do with the file.
  void NoteLimitsOfReaders(std::vector<std::string>* notes) const {
    if (Size("intermediate_size") == 2 * Size("hidden_size")) return;
    notes->push_back(
        "the inner width is not twice the hidden size: llama.cpp does not read such a model");
  }

  model_files::GgufMetadataWriter metadata;

 private:
  std::string Prefix() const { return is_mamba2_ ? "mamba2" : "mamba"; }
  std::string Key(std::string_view key) const { return fmt::format("{}.{}", Prefix(), key); }
  uint64_t Size(std::string_view key) const {
    return static_cast<uint64_t>(config_[key].Int(1, kSizeMax));
  }
  void AddSize(std::string_view key, uint64_t value) { metadata.AddU32(Key(key), value); }

  void Reshape(std::vector<int64_t>& shape, GgufReshape reshape) const {
    if (reshape == GgufReshape::kConv && shape.size() == 3) shape = {shape[0], shape[2]};
    if (reshape == GgufReshape::kColumn) shape.push_back(1);
    if (reshape == GgufReshape::kGroups) {
      const auto groups = static_cast<int64_t>(Size("n_groups"));
      shape = {groups, shape[0] / groups};
    }
  }

  uint64_t ConvolvedChannels() const {
    const uint64_t inner = Size("intermediate_size");
    return is_mamba2_ ? inner + 2 * Size("n_groups") * Size("state_size") : inner;
  }

  void Refuse(bool found, std::string_view what) const {
    if (!found) return;
    Throw(ErrorKind::kUnsupported, "{}: GGUF cannot say {}; choose --to statelib", path_, what);
  }

  void RefuseWhatCannotBeSaid() const {
    Refuse(config_["use_bias"].Bool(), "biases of the projections (use_bias)");
    if (is_falcon_) {
      const auto epsilon = static_cast<float>(config_["mixer_rms_eps"].Number());
      Refuse(epsilon != kFalconInnerEpsilon, "an epsilon of the inner norms (mixer_rms_eps)");
    }
    if (!is_mamba2_) return;
    Refuse(!config_["rms_norm"].Bool(), "a gate without a norm (rms_norm false)");
    Refuse(Size("mixer_norm_groups") != Size("n_groups"),
           "other groups of the gated norm than of the heads (mixer_norm_groups)");
    std::vector<double> limit;
    config_["time_step_limit"].ForEach(
        [&](const JsonValue& bound) { limit.push_back(model_files::ExtendedNumber(bound)); });
    Refuse(limit[0] > 0 || limit[1] < kTimeStepUnbounded,
           "a clamp of the time step (time_step_limit)");
  }

  const JsonValue config_;
  const std::string& path_;
  bool is_mamba2_ = false;
  bool is_falcon_ = false;
};

}  // namespace

void WriteGgufForm(const model_files::ModelFiles& from, const std::string& config,
                   std::vector<TensorToWrite> tensors, const std::filesystem::path& to,
                   std::vector<std::string>* notes) {
  const std::string path = from.path().string();
  const JsonDocument document = model_files::ParseConfig(AsBytes(config), path);
  GgufForm form(document.root(), path);
  int64_t vocabulary = 0;
  for (TensorToWrite& tensor : tensors) {
    tensor = form.Renamed(std::move(tensor));
    if (tensor.name == "token_embd.weight") vocabulary = tensor.shape[0];
  }
  const bool is_tied = document.root()["tie_word_embeddings"].Bool();
  std::erase_if(tensors, [&](const TensorToWrite& tensor) {
    return is_tied && tensor.name == "output.weight";
  });
  form.SetConvolutionBiases(&tensors);
  form.NoteLimitsOfReaders(notes);
  form.Describe(tensors, from.path().filename().string());
  AddGgufTokenizer(from, document.root(), vocabulary, &form.metadata, notes);
  model_files::WriteGguf(FileSystem::Real(), to, form.metadata, tensors);
}

}  // namespace statelib::model
