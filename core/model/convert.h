// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_CONVERT_H_
#define STATELIB_CORE_MODEL_CONVERT_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/model_files/model_files.h"

namespace statelib::model {

/// The forms in which a model can be written.
enum class ModelForm {
  kHuggingFace,  ///< a folder with config.json, model.safetensors and tokenizer.json
  kGguf,         ///< one file of GGUF v3, under llama.cpp's names
  kModelFile,    ///< statelib's own file (core/model_files/statelib_model.h): everything as it is
};

struct ConvertOptions {
  ModelForm form = ModelForm::kModelFile;
  /// The type of matrices: F32, BF16, F16 or Q8_0; small tensors are F32 then. A matrix whose rows
  /// do not fill blocks keeps its type. Without it, every tensor keeps its type where the form has
  /// it, and small tensors of GGUF are F32, as its readers want them.
  std::optional<model_files::ElementType> weights = {};
  bool replace = false;  ///< what is there already
  const CancelFlag* cancel = nullptr;
  std::function<void(uint64_t bytes_done, uint64_t bytes_total)> on_progress = {};
};

struct Conversion {
  uint64_t tensor_bytes = 0;       ///< written
  std::vector<std::string> notes;  ///< what the form could not carry but can do without
};

/// Writes a model in another form. Readers of `to` see nothing, or what was there, until the
/// whole is durable; a folder that is replaced is replaced file by file. Memory: one piece of a
/// tensor. A in GGUF is -exp(A_log) by the runtime's own exp, so that both forms compute the same
/// bits.
/// Errors: kInvalidArgument when `to` exists and is not to be replaced, or for block types in
/// safetensors; kUnsupported for what the form cannot say (gguf_form.h); those of reading; kIo;
/// kCancelled.
Conversion Convert(const model_files::ModelFiles& model_files, const std::filesystem::path& to,
                   const ConvertOptions& options);

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_CONVERT_H_
