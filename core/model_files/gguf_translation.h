// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_GGUF_TRANSLATION_H_
#define STATELIB_CORE_MODEL_FILES_GGUF_TRANSLATION_H_

#include <functional>
#include <string>
#include <vector>

#include "core/model_files/gguf_file.h"

namespace statelib::model_files {

/// A GGUF file told in the words of Hugging Face models, so that an architecture reads both
/// alike.
struct GgufTranslation {
  /// A config.json with the members that Hugging Face's has. It is part of the fingerprint: what is
  /// written for a file must never change.
  std::string config;
  /// The tensors under Hugging Face's names and with its shapes: the bytes are the file's.
  std::vector<TensorRef> tensors;
};

/// Who knows the architectures tells a file with these metadata and tensors; `path` is for
/// messages. It must be thread-safe. Errors: kUnsupported for what it does not know; kCorrupt.
using GgufTranslator = std::function<GgufTranslation(
    const GgufMetadata& metadata, const TensorTable& tensors, const std::string& path)>;

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_GGUF_TRANSLATION_H_
