// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_EMBEDDED_VOCABULARY_READER_H_
#define STATELIB_CORE_ENGINE_EMBEDDED_VOCABULARY_READER_H_

#include <optional>

#include "core/model_files/gguf_metadata.h"
#include "core/tokenizer/embedded_vocabulary.h"

namespace statelib::engine {

/// The tokenizer under "tokenizer.ggml." of a GGUF file's metadata, which must outlive it; empty
/// where there is none. Errors: kCorrupt for values of other types.
std::optional<tokenizer::EmbeddedVocabulary> ReadEmbeddedVocabulary(
    const model_files::GgufMetadata& metadata);

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_EMBEDDED_VOCABULARY_READER_H_
