// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/statelib_model.h"

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/model_files/safetensors_file.h"
#include "core/model_files/safetensors_writer.h"
#include "core/model_files/tensor_text.h"

namespace statelib::model_files {

namespace {

constexpr const char* kFormatKey = "format";
constexpr const char* kFormat = "statelib-model";
constexpr const char* kVersionKey = "version";
constexpr const char* kVersion = "1";
constexpr const char* kConfigKey = "config.json";
constexpr const char* kTokenizerKey = "tokenizer.json";

std::string TextOf(const SafetensorsMetadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? "" : found->second;
}

void CheckFormat(const SafetensorsMetadata& metadata, const std::string& path) {
  if (TextOf(metadata, kFormatKey) != kFormat) {
    Throw(ErrorKind::kInvalidArgument,
          "{}: expected a model with its configuration, found a safetensors file alone; give "
          "the folder that holds {} and the weights",
          path, kConfigKey);
  }
  const std::string version = TextOf(metadata, kVersionKey);
  if (version != kVersion) {
    Throw(ErrorKind::kUnsupported,
          "{}: expected version {} of statelib's model file, found {}; use the statelib that wrote "
          "it",
          path, kVersion, Quoted(version));
  }
  if (!metadata.contains(kConfigKey)) {
    Throw(ErrorKind::kCorrupt, "{}: header: expected {} in its metadata, found none", path,
          kConfigKey);
  }
}

}  // namespace

bool BeginsAsSafetensors(ByteSpan file) {
  return file.size() > sizeof(uint64_t) && file[sizeof(uint64_t)] == std::byte{'{'} &&
         LoadLittle<uint64_t>(file.data()) <= file.size() - sizeof(uint64_t);
}

StatelibModel OpenStatelibModel(const std::filesystem::path& path) {
  MappedFile file = MappedFile::Open(path);
  SafetensorsContents contents =
      ParseSafetensorsContents(file.bytes(), path.string(), BlockTypes::kAccepted);
  CheckFormat(contents.metadata, path.string());
  std::string config = TextOf(contents.metadata, kConfigKey);
  std::string tokenizer = TextOf(contents.metadata, kTokenizerKey);
  return {TensorFile(std::move(file), std::move(contents.tensors)), std::move(config),
          std::move(tokenizer)};
}

void WriteStatelibModel(FileSystem& files, const std::filesystem::path& path,
                        std::span<const TensorToWrite> tensors, const std::string& config,
                        const std::string& tokenizer) {
  SafetensorsMetadata metadata = {
      {kFormatKey, kFormat}, {kVersionKey, kVersion}, {kConfigKey, config}};
  if (!tokenizer.empty()) metadata[kTokenizerKey] = tokenizer;
  WriteSafetensorsWithBlocks(files, path, tensors, metadata);
}

}  // namespace statelib::model_files
