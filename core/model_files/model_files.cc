// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/model_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/base/lfs_pointer.h"
#include "core/base/printable.h"
#include "core/model_files/config_json.h"
#include "core/model_files/safetensors_file.h"
#include "core/model_files/shard_index.h"
#include "core/model_files/statelib_model.h"
#include "core/model_files/tensor_text.h"
#include "core/model_files/torch_file.h"

namespace statelib::model_files {

namespace {

namespace fs = std::filesystem;

constexpr uint64_t kConfigBytesMax = 16 << 20;
constexpr const char* kConfigName = "config.json";
constexpr uint64_t kTokenizerBytesMax = 256 << 20;
constexpr const char* kTokenizerName = "tokenizer.json";
constexpr size_t kNamesShownMax = 8;

FileFact FactOf(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) ThrowErrno("cannot stat", path.string(), errno);
  return {path, static_cast<uint64_t>(info.st_size),
          int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
}

/// The weights of a folder, whatever their layout.
struct Weights {
  std::vector<TensorFile> files;
  TensorTable tensors;
  std::vector<std::string> notes;
  std::vector<fs::path> paths;  ///< of every file that was opened for them
};

using OpenTensorFile = TensorFile (*)(const fs::path&);

Weights OpenSingle(const fs::path& path, OpenTensorFile open) {
  Weights weights;
  const TensorFile& file = weights.files.emplace_back(open(path));
  weights.tensors = file.tensors();
  weights.paths = {path};
  return weights;
}

Weights OpenSharded(const fs::path& index_path, OpenTensorFile open) {
  ShardedTensors shards = OpenShards(index_path, open);
  Weights weights{std::move(shards.files), std::move(shards.tensors), std::move(shards.notes), {}};
  weights.paths = {index_path};
  for (const TensorFile& file : weights.files) weights.paths.push_back(file.path());
  return weights;
}

/// One way in which weights lie in a folder, known by a file's name.
struct Layout {
  const char* file_name;
  Weights (*open)(const fs::path&, OpenTensorFile);
  OpenTensorFile reader;
};

// The first that is there is taken, in the order that the loaders of the published files use.
constexpr Layout kLayouts[] = {
    {"model.safetensors", OpenSingle, OpenSafetensors},
    {"model.safetensors.index.json", OpenSharded, OpenSafetensors},
    {"pytorch_model.bin", OpenSingle, OpenTorchFile},
    {"pytorch_model.bin.index.json", OpenSharded, OpenTorchFile},
};

/// "config.json, vocab.json" or "nothing": what a folder holds, for messages.
std::string NamesIn(const fs::path& directory) {
  const std::vector<fs::path> names = FileSystem::Real().List(directory);
  if (names.empty()) return "nothing";
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kNamesShownMax); ++i) {
    text += (i == 0 ? "" : ", ") + Quoted(names[i].string());
  }
  return text + (names.size() > kNamesShownMax
                     ? fmt::format(" and {} more", names.size() - kNamesShownMax)
                     : "");
}

Weights OpenWeights(const fs::path& directory) {
  std::string looked_for;
  for (const Layout& layout : kLayouts) {
    const fs::path path = directory / layout.file_name;
    if (FileSystem::Real().Exists(path)) return layout.open(path, layout.reader);
    looked_for += (looked_for.empty() ? "" : ", ") + std::string(layout.file_name);
  }
  Throw(ErrorKind::kNotFound,
        "{}: expected weights, one of {}; found {}; give the folder of a whole model",
        directory.string(), looked_for, NamesIn(directory));
}

/// Training on several GPUs leaves this before every name.
constexpr std::string_view kTrainingPrefix = "module.";

/// The weights under their own names.
void RemoveTrainingPrefix(Weights& weights, const std::string& location) {
  const auto has_prefix = [](const TensorRef& tensor) {
    return tensor.name.starts_with(kTrainingPrefix) && tensor.name.size() > kTrainingPrefix.size();
  };
  const auto all = weights.tensors.all();
  if (all.empty() || !std::ranges::all_of(all, has_prefix)) return;
  std::vector<TensorRef> tensors(all.begin(), all.end());
  for (TensorRef& tensor : tensors) tensor.name.erase(0, kTrainingPrefix.size());
  weights.tensors = TensorTable(std::move(tensors), location);
  weights.notes.push_back(fmt::format(
      "{}: every tensor's name begins with \"{}\", which is left out", location, kTrainingPrefix));
}

/// What a path leads to, following links.
fs::file_type TypeOf(const fs::path& path) {
  std::error_code error;
  const fs::file_type type = fs::status(path, error).type();
  if (type == fs::file_type::not_found) {
    Throw(ErrorKind::kNotFound, "{}: expected a model's folder or its file, found nothing there",
          path.string());
  }
  if (error) ThrowErrno("cannot stat", path.string(), error.value());
  return type;
}

Bytes ReadConfig(const fs::path& directory) {
  const fs::path path = directory / kConfigName;
  if (!FileSystem::Real().Exists(path)) {
    Throw(ErrorKind::kNotFound,
          "{}: expected {} beside the weights, found {}; give the folder of a whole model",
          directory.string(), kConfigName, NamesIn(directory));
  }
  Bytes config = FileSystem::Real().ReadFile(path, kConfigBytesMax);
  RefuseLfsPointer(config, path.string());
  return config;
}

}  // namespace

struct ModelFiles::Impl {
  fs::path path;
  std::string config_text;
  JsonDocument config;
  Weights weights;
  std::vector<FileFact> files;
  std::optional<GgufFile> gguf = {};
  std::string tokenizer = {};  ///< of a model file

  /// `config_name` is for messages.
  static std::unique_ptr<Impl> Make(const fs::path& path, std::string config_text,
                                    const std::string& config_name, Weights weights) {
    JsonDocument config = ParseConfig(AsBytes(config_text), config_name);
    return std::make_unique<Impl>(
        Impl{path, std::move(config_text), std::move(config), std::move(weights), {}});
  }
};

ModelFiles::ModelFiles(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ModelFiles::~ModelFiles() = default;

std::unique_ptr<ModelFiles::Impl> ModelFiles::OpenFolder(const fs::path& path,
                                                         std::span<const ConfigFact> facts) {
  const fs::path config_path = path / kConfigName;
  auto impl = Impl::Make(path, WithFacts(ReadConfig(path), facts, config_path.string()),
                         config_path.string(), {});
  impl->weights = OpenWeights(path);
  RemoveTrainingPrefix(impl->weights, path.string());
  impl->files = {FactOf(config_path)};
  for (const fs::path& file : impl->weights.paths) impl->files.push_back(FactOf(file));
  return impl;
}

std::unique_ptr<ModelFiles::Impl> ModelFiles::OpenGguf(const fs::path& path,
                                                       std::span<const ConfigFact> facts,
                                                       const GgufTranslator& translate) {
  if (!translate) {
    Throw(ErrorKind::kUnsupported,
          "{}: expected a translator of the GGUF file's names, found none; open it as a model",
          path.string());
  }
  GgufFile file = GgufFile::Open(path);
  GgufTranslation translation = translate(file.metadata(), file.tensors(), path.string());
  const std::string config_name = path.string() + ": configuration";
  Weights weights;
  weights.tensors = TensorTable(std::move(translation.tensors), path.string());
  auto impl = Impl::Make(path, WithFacts(AsBytes(translation.config), facts, config_name),
                         config_name, std::move(weights));
  impl->files = {FactOf(path)};
  impl->gguf = std::move(file);
  return impl;
}

std::unique_ptr<ModelFiles::Impl> ModelFiles::OpenModelFile(const fs::path& path,
                                                            std::span<const ConfigFact> facts) {
  StatelibModel container = OpenStatelibModel(path);
  const std::string config_name = path.string() + ": " + kConfigName;
  Weights weights;
  weights.tensors = container.file.tensors();
  weights.files.push_back(std::move(container.file));
  RemoveTrainingPrefix(weights, path.string());
  auto impl = Impl::Make(path, WithFacts(AsBytes(container.config), facts, config_name),
                         config_name, std::move(weights));
  impl->files = {FactOf(path)};
  impl->tokenizer = std::move(container.tokenizer);
  return impl;
}

bool ModelFiles::IsAt(const fs::path& path) {
  std::error_code ignored;
  const fs::file_type type = fs::status(path, ignored).type();
  if (type != fs::file_type::regular) return type == fs::file_type::directory;
  const MappedFile file = MappedFile::Open(path);
  return BeginsAsGguf(file.bytes()) || BeginsAsSafetensors(file.bytes()) ||
         IsLfsPointer(file.bytes());
}

std::unique_ptr<ModelFiles> ModelFiles::Open(const fs::path& path,
                                             std::span<const ConfigFact> facts,
                                             const GgufTranslator& translate) {
  const auto make = [](std::unique_ptr<Impl> impl) {
    return std::unique_ptr<ModelFiles>(new ModelFiles(std::move(impl)));
  };
  const fs::file_type type = TypeOf(path);
  if (type == fs::file_type::directory) return make(OpenFolder(path, facts));
  if (type == fs::file_type::regular) {
    const MappedFile file = MappedFile::Open(path);
    RefuseLfsPointer(file.bytes(), path.string());
    if (BeginsAsGguf(file.bytes())) return make(OpenGguf(path, facts, translate));
    if (BeginsAsSafetensors(file.bytes())) return make(OpenModelFile(path, facts));
  }
  Throw(ErrorKind::kInvalidArgument,
        "{}: expected a model's folder, a GGUF file or a model file of statelib, found "
        "another file; give the folder that holds {} and the weights",
        path.string(), kConfigName);
}

const fs::path& ModelFiles::path() const { return impl_->path; }
JsonValue ModelFiles::config() const { return impl_->config.root(); }
ByteSpan ModelFiles::config_bytes() const { return AsBytes(impl_->config_text); }
const TensorTable& ModelFiles::tensors() const { return impl_->weights.tensors; }
std::span<const FileFact> ModelFiles::files() const { return impl_->files; }
const GgufFile* ModelFiles::gguf() const { return impl_->gguf ? &*impl_->gguf : nullptr; }
std::span<const std::string> ModelFiles::notes() const { return impl_->weights.notes; }

Bytes ModelFiles::TokenizerJson() const {
  const auto copy = [](std::string_view text) {
    const ByteSpan bytes = AsBytes(text);
    return Bytes(bytes.begin(), bytes.end());
  };
  if (impl_->gguf) {
    const GgufValue* value = impl_->gguf->metadata().Find("tokenizer.huggingface.json");
    return value == nullptr ? Bytes() : copy(value->String());
  }
  const fs::path path = impl_->path / kTokenizerName;
  if (!impl_->tokenizer.empty() || !FileSystem::Real().Exists(path)) return copy(impl_->tokenizer);
  return FileSystem::Real().ReadFile(path, kTokenizerBytesMax);
}

void ModelFiles::Forget(ByteSpan bytes) const {
  for (const TensorFile& file : impl_->weights.files) file.Forget(bytes);
  if (impl_->gguf) impl_->gguf->Forget(bytes);
}

}  // namespace statelib::model_files
