// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_STATELIB_MODEL_H_
#define STATELIB_CORE_MODEL_FILES_STATELIB_MODEL_H_

#include <filesystem>
#include <span>
#include <string>

#include "core/base/file_system.h"
#include "core/model_files/tensor_file.h"
#include "core/model_files/tensor_to_write.h"

namespace statelib::model_files {

// statelib's own model file: a whole model in one file, as it is. It has the layout of
// safetensors, whose "__metadata__" holds
//   "format"          "statelib-model"
//   "version"         "1"; another one is refused
//   "config.json"     the configuration, byte by byte
//   "tokenizer.json"  the tokenizer, byte by byte; missing where the model has none
// Element types may also be GGUF's block types by their names ("Q8_0"), which is why other readers
// of safetensors refuse a file that has such tensors. Tensors have the names under which the model
// was opened (model_files.h).
// Design goals: one file to copy and name; mapped as it lies; the fingerprint of what was packed.
// Not a goal: a format of its own.

/// A checked model file. Move-only.
struct StatelibModel {
  TensorFile file;
  std::string config;
  std::string tokenizer;  ///< empty: none
};

/// Whether bytes begin as a safetensors file does, which a container is.
bool BeginsAsSafetensors(ByteSpan file);

/// Errors: those of OpenSafetensors; kInvalidArgument for a safetensors file that is no container;
/// kUnsupported for another version.
StatelibModel OpenStatelibModel(const std::filesystem::path& path);

/// Errors: those of WriteSafetensors; kInvalidArgument when config or tokenizer is not UTF-8.
void WriteStatelibModel(FileSystem& files, const std::filesystem::path& path,
                        std::span<const TensorToWrite> tensors, const std::string& config,
                        const std::string& tokenizer);

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_STATELIB_MODEL_H_
