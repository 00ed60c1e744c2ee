// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/checkpoint.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/checkpoint/config_json.h"
#include "core/checkpoint/gguf_checkpoint.h"
#include "core/checkpoint/quoted.h"
#include "core/checkpoint/safetensors_file.h"
#include "core/checkpoint/shard_index.h"
#include "core/checkpoint/torch_file.h"

namespace statelib::checkpoint {

namespace {

namespace fs = std::filesystem;

constexpr uint64_t kConfigBytesMax = 16 << 20;
constexpr const char* kConfigName = "config.json";
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
        "{}: expected weights, one of {}; found {}; give the folder of a whole checkpoint",
        directory.string(), looked_for, NamesIn(directory));
}

/// What a path leads to, following links.
fs::file_type TypeOf(const fs::path& path) {
  std::error_code error;
  const fs::file_type type = fs::status(path, error).type();
  if (type == fs::file_type::not_found) {
    Throw(ErrorKind::kNotFound,
          "{}: expected the folder of a checkpoint or a GGUF file, found nothing there",
          path.string());
  }
  if (error) ThrowErrno("cannot stat", path.string(), error.value());
  return type;
}

Bytes ReadConfig(const fs::path& directory) {
  const fs::path path = directory / kConfigName;
  if (!FileSystem::Real().Exists(path)) {
    Throw(ErrorKind::kNotFound,
          "{}: expected {} beside the weights, found {}; give the folder of a whole checkpoint",
          directory.string(), kConfigName, NamesIn(directory));
  }
  return FileSystem::Real().ReadFile(path, kConfigBytesMax);
}

}  // namespace

struct Checkpoint::Impl {
  fs::path path;
  Bytes config_bytes;
  JsonDocument config;
  Weights weights;
  std::vector<FileFact> files;
  std::optional<GgufFile> gguf;
};

Checkpoint::Checkpoint(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Checkpoint::~Checkpoint() = default;

std::unique_ptr<Checkpoint::Impl> Checkpoint::OpenFolder(const fs::path& path) {
  Bytes config_bytes = ReadConfig(path);
  JsonDocument config = ParseConfig(config_bytes, (path / kConfigName).string());
  Weights weights = OpenWeights(path);
  std::vector<FileFact> files = {FactOf(path / kConfigName)};
  for (const fs::path& file : weights.paths) files.push_back(FactOf(file));
  return std::make_unique<Impl>(Impl{path, std::move(config_bytes), std::move(config),
                                     std::move(weights), std::move(files), std::nullopt});
}

std::unique_ptr<Checkpoint::Impl> Checkpoint::OpenGguf(const fs::path& path) {
  GgufFile file = GgufFile::Open(path);
  GgufTranslation translation = TranslateGguf(file.metadata(), file.tensors(), path.string());
  const ByteSpan config_text = AsBytes(translation.config);
  Weights weights;
  weights.tensors = TensorTable(std::move(translation.tensors), path.string());
  return std::make_unique<Impl>(Impl{path,
                                     {config_text.begin(), config_text.end()},
                                     ParseConfig(config_text, path.string() + ": configuration"),
                                     std::move(weights),
                                     {FactOf(path)},
                                     std::move(file)});
}

std::unique_ptr<Checkpoint> Checkpoint::Open(const fs::path& path) {
  const fs::file_type type = TypeOf(path);
  if (type == fs::file_type::directory) {
    return std::unique_ptr<Checkpoint>(new Checkpoint(OpenFolder(path)));
  }
  if (type != fs::file_type::regular || !BeginsAsGguf(MappedFile::Open(path).bytes())) {
    Throw(ErrorKind::kInvalidArgument,
          "{}: expected the folder of a checkpoint or a GGUF file, found another file; give the "
          "folder that holds {} and the weights",
          path.string(), kConfigName);
  }
  return std::unique_ptr<Checkpoint>(new Checkpoint(OpenGguf(path)));
}

const fs::path& Checkpoint::path() const { return impl_->path; }
JsonValue Checkpoint::config() const { return impl_->config.root(); }
ByteSpan Checkpoint::config_bytes() const { return impl_->config_bytes; }
const TensorTable& Checkpoint::tensors() const { return impl_->weights.tensors; }
std::span<const FileFact> Checkpoint::files() const { return impl_->files; }
const GgufFile* Checkpoint::gguf() const { return impl_->gguf ? &*impl_->gguf : nullptr; }
std::span<const std::string> Checkpoint::notes() const { return impl_->weights.notes; }

}  // namespace statelib::checkpoint
