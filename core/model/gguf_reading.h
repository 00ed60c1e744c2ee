// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_GGUF_READING_H_
#define STATELIB_CORE_MODEL_GGUF_READING_H_

#include <span>
#include <string>

#include "core/model/architectures.h"
#include "core/model_files/model_files.h"

namespace statelib::model {

/// Tells a GGUF file in the words of Hugging Face models, by what a table of architectures knows
/// of its general.architecture: a model_files::GgufTranslator. One thing differs, and its name says
/// so: GGUF stores A = -exp(A_log) itself, which becomes `…mixer.A` and not `…mixer.A_log`.
/// Thread-safe. Errors: kUnsupported for another architecture, a tensor that it does not have, or
/// one part of a split file; kCorrupt for metadata or tensors that are missing or contradict each
/// other.
model_files::GgufTranslation TranslateGguf(const model_files::GgufMetadata& metadata,
                                           const model_files::TensorTable& tensors,
                                           const std::string& path,
                                           ArchitectureTable architectures = Architectures());

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_GGUF_READING_H_
