// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_GGUF_MODEL_H_
#define STATELIB_CORE_MODEL_FILES_GGUF_MODEL_H_

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
  /// The tensors under Hugging Face's names and with its shapes: the bytes are the file's. One
  /// thing differs, and its name says so: GGUF stores A = -exp(A_log) itself, which is here
  /// `…mixer.A` and not `…mixer.A_log`.
  std::vector<TensorRef> tensors;
};

/// Translates a file of the GGUF architectures "mamba" (FalconMamba too) and "mamba2".
/// What GGUF cannot say takes the value of the published models: no clamp of the time step, chunks
/// of 256, and for FalconMamba the default epsilon of its inner norms.
/// Errors: kUnsupported for another architecture, a tensor that it does not have, or one part of a
/// split file; kCorrupt for metadata or tensors that are missing or contradict each other.
GgufTranslation TranslateGguf(const GgufMetadata& metadata, const TensorTable& tensors,
                              const std::string& path);

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_GGUF_MODEL_H_
