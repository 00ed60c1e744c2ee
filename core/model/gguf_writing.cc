// SPDX-License-Identifier: Apache-2.0
#include "core/model/gguf_writing.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/model/architectures.h"
#include "core/model/gguf_form.h"
#include "core/model/gguf_tokenizer.h"
#include "core/model_files/gguf_writer.h"

namespace statelib::model {

namespace {

using model_files::ElementType;
using model_files::TensorToWrite;

constexpr uint64_t kQuantizationVersion = 2;
constexpr std::string_view kConvolution = "ssm_conv1d";

/// general.file_type: what most of the bytes are.
uint64_t FileTypeOf(std::span<const TensorToWrite> tensors) {
  uint64_t most = 0, file_type = 0;
  for (const model_files::ElementTypeInfo& type : model_files::ElementTypes()) {
    uint64_t bytes = 0;
    for (const TensorToWrite& tensor : tensors) {
      if (NameOf(tensor.type) != type.name) continue;
      bytes += model_files::StorageBytes(tensor.type, tensor.shape).value_or(0);
    }
    if (type.gguf_file && bytes > most) {
      most = bytes;
      file_type = *type.gguf_file;
    }
  }
  return file_type;
}

const GgufForm& FormOf(const JsonValue& config, const std::string& path) {
  const Architecture& architecture = ArchitectureOf(config);
  if (architecture.gguf == nullptr) {
    Throw(ErrorKind::kUnsupported,
          "{}: GGUF has no words for the architecture {}; choose --to statelib or --to safetensors",
          path, architecture.name);
  }
  return *architecture.gguf;
}

void Reshape(std::vector<int64_t>& shape, GgufReshape reshape, const GgufTarget& model) {
  if (reshape == GgufReshape::kConv && shape.size() == 3) shape = {shape[0], shape[2]};
  if (reshape == GgufReshape::kColumn) shape.push_back(1);
  if (reshape == GgufReshape::kGroups) {
    const auto groups = static_cast<int64_t>(model.Size("n_groups"));
    shape = {groups, shape[0] / groups};
  }
}

/// The tensor under GGUF's name, in its shape.
TensorToWrite Renamed(TensorToWrite tensor, const GgufForm& form, const GgufTarget& model,
                      const std::string& path) {
  const auto model_names = GgufModelNames();
  const auto whole = std::ranges::find(model_names, tensor.name, &GgufName::published);
  if (whole != model_names.end()) {
    tensor.name = whole->gguf;
    return tensor;
  }
  const auto [layer, rest] = SplitLayerName(tensor.name, kPublishedLayerPrefix);
  const auto names = form.layer_names();
  const auto name = std::ranges::find(names, rest, &GgufName::published);
  if (name == names.end()) {
    Throw(ErrorKind::kUnsupported,
          "{}: tensor {}: GGUF has no place for it; choose --to statelib or --to safetensors", path,
          Quoted(tensor.name));
  }
  tensor.name = fmt::format("{}{}.{}", kGgufLayerPrefix, layer, name->gguf);
  Reshape(tensor.shape, name->reshape, model);
  return tensor;
}

/// The biases of the convolutions, all zero, where the configuration has none: the format's readers
/// want them.
void SetConvolutionBiases(const JsonValue& config, std::vector<TensorToWrite>* tensors) {
  if (config["use_conv_bias"].Bool()) return;
  const std::string weight = fmt::format("{}.weight", kConvolution);
  const std::string bias = fmt::format("{}.bias", kConvolution);
  std::map<uint64_t, int64_t> channels_of_layers;
  for (const TensorToWrite& tensor : *tensors) {
    const auto [layer, rest] = SplitLayerName(tensor.name, kGgufLayerPrefix);
    uint64_t number = 0;
    std::from_chars(layer.begin(), layer.end(), number);
    if (rest == weight) channels_of_layers[number] = tensor.shape[0];
  }
  std::erase_if(*tensors, [&](const TensorToWrite& tensor) {
    return SplitLayerName(tensor.name, kGgufLayerPrefix).rest == bias;
  });
  for (const auto& [layer, channels] : channels_of_layers) {
    TensorToWrite zeros{
        fmt::format("{}{}.{}", kGgufLayerPrefix, layer, bias), ElementType::kF32, {channels}};
    zeros.stream = [size = static_cast<size_t>(channels)](const model_files::ByteSink& sink) {
      sink(Bytes(size * sizeof(float)));
    };
    tensors->push_back(std::move(zeros));
  }
}

/// What other programs cannot do with the file.
void NoteLimitsOfReaders(const GgufTarget& model, std::vector<std::string>* notes) {
  if (model.Size("intermediate_size") == 2 * model.Size("hidden_size")) return;
  notes->push_back(
      "the inner width is not twice the hidden size: llama.cpp does not read such a model");
}

void DescribeFile(const GgufForm& form, std::span<const TensorToWrite> tensors,
                  const std::string& name, model_files::GgufMetadataWriter* metadata) {
  metadata->AddString("general.architecture", form.architecture);
  metadata->AddString("general.name", name);
  metadata->AddU32("general.file_type", FileTypeOf(tensors));
  if (std::ranges::any_of(tensors, [](const TensorToWrite& t) { return IsBlockType(t.type); })) {
    metadata->AddU32("general.quantization_version", kQuantizationVersion);
  }
}

}  // namespace

void WriteGgufForm(const model_files::ModelFiles& from, const std::string& config,
                   std::vector<TensorToWrite> tensors, const std::filesystem::path& to,
                   std::vector<std::string>* notes) {
  const std::string path = from.path().string();
  const JsonDocument document = model_files::ParseConfig(AsBytes(config), path);
  const GgufForm& form = FormOf(document.root(), path);
  GgufTarget model(form.architecture, document.root(), tensors, path);
  form.require_sayable(model);
  std::vector<TensorToWrite> renamed;
  int64_t vocabulary = 0;
  for (const TensorToWrite& tensor : tensors) {
    renamed.push_back(Renamed(tensor, form, model, path));
    if (renamed.back().name == "token_embd.weight") vocabulary = tensor.shape[0];
  }
  if (document.root()["tie_word_embeddings"].Bool()) {
    std::erase_if(renamed, [](const TensorToWrite& t) { return t.name == "output.weight"; });
  }
  SetConvolutionBiases(document.root(), &renamed);
  NoteLimitsOfReaders(model, notes);
  DescribeFile(form, renamed, from.path().filename().string(), &model.metadata);
  form.describe(&model);
  AddGgufTokenizer(from, document.root(), vocabulary, &model.metadata, notes);
  model_files::WriteGguf(FileSystem::Real(), to, model.metadata, renamed);
}

}  // namespace statelib::model
