// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_MODEL_FILES_H_
#define STATELIB_CORE_MODEL_FILES_MODEL_FILES_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/model_files/config_json.h"
#include "core/model_files/gguf_file.h"
#include "core/model_files/gguf_translation.h"
#include "core/model_files/tensor_ref.h"

namespace statelib::model_files {

/// A file of a model as it was when it was opened: what says cheaply whether it may have
/// changed.
struct FileFact {
  std::filesystem::path path;
  uint64_t size_bytes = 0;
  int64_t modified_ns = 0;  ///< since 1970, UTC

  bool operator==(const FileFact&) const = default;
};

/// The weights and the configuration of a model, as published: named tensors in mapped files and
/// the root of config.json; what a GGUF file holds is told in the same words. Immutable and
/// thread-safe; it owns its mappings, and every TensorRef and JsonValue of it lives as long as it
/// does. The files must not shrink meanwhile (MappedFile says why).
class ModelFiles {
 public:
  /// Opens a folder that holds config.json and, in this order of preference, model.safetensors,
  /// model.safetensors.index.json with its shards, pytorch_model.bin, or
  /// pytorch_model.bin.index.json with its shards. The configuration is given as it is: that of
  /// the original state-spaces files has other members than Hugging Face's. Checks every header;
  /// reads no tensor, except those of a pytorch_model.bin whose strides are not dense rows.
  /// Or opens a GGUF file, whose configuration and names `translate` tells
  /// (gguf_translation.h), or statelib's own model file (statelib_model.h); tensors of both may
  /// be of block types. A "module." that training leaves before every name is taken off.
  /// `facts` are set in the configuration before anything reads it, the fingerprint too.
  /// Errors: kNotFound with what was looked for; kCorrupt and kUnsupported with the path, the
  /// place, what was expected and what was found; kInvalidArgument for a path that is neither;
  /// kNotFound for a file that git-lfs has not fetched; kUnsupported for a GGUF file without a
  /// translator.
  static std::unique_ptr<ModelFiles> Open(const std::filesystem::path& path,
                                          std::span<const ConfigFact> facts = {},
                                          const GgufTranslator& translate = {});
  /// Whether there is something at a path that Open takes for a model: a folder, or a file of
  /// one of these formats.
  static bool IsAt(const std::filesystem::path& path);

  ModelFiles(const ModelFiles&) = delete;
  ModelFiles& operator=(const ModelFiles&) = delete;
  ~ModelFiles();

  /// The folder or file as it was given.
  const std::filesystem::path& path() const;
  /// The root of config.json; ExtendedNumber (config_json.h) reads fields that may be infinite.
  JsonValue config() const;
  /// config.json byte by byte, or its translation from GGUF; made anew where facts were set.
  ByteSpan config_bytes() const;

  /// The tensor, or nullptr.
  const TensorRef* Find(std::string_view name) const { return tensors().Find(name); }
  /// The tensor. Errors: kCorrupt with the name and the model when there is none.
  const TensorRef& Get(std::string_view name) const { return tensors().Get(name); }
  /// All tensors, in the order of their names.
  const TensorTable& tensors() const;

  /// config.json and the weight files, or the GGUF file, with the facts that a cached fingerprint
  /// is checked by.
  std::span<const FileFact> files() const;
  /// The GGUF file itself, for the tokenizer that it embeds; nullptr for any other layout.
  const GgufFile* gguf() const;
  /// The tokenizer.json that belongs to it: the one in the folder, in statelib's model file, or
  /// under GGUF's "tokenizer.huggingface.json"; empty where there is none. Errors: kIo, kCorrupt.
  Bytes TokenizerJson() const;
  /// Says that a tensor's bytes will not be read again soon, so that they need not stay in memory.
  void Forget(ByteSpan bytes) const;
  /// Odd things that do no harm, a line each: a tensor in a shard that the index leaves out.
  std::span<const std::string> notes() const;

 private:
  struct Impl;
  static std::unique_ptr<Impl> OpenFolder(const std::filesystem::path& path,
                                          std::span<const ConfigFact> facts);
  static std::unique_ptr<Impl> OpenGguf(const std::filesystem::path& path,
                                        std::span<const ConfigFact> facts,
                                        const GgufTranslator& translate);
  static std::unique_ptr<Impl> OpenModelFile(const std::filesystem::path& path,
                                             std::span<const ConfigFact> facts);
  explicit ModelFiles(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_MODEL_FILES_H_
