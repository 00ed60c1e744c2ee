// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_GGUF_TOKENIZER_H_
#define STATELIB_CORE_MODEL_GGUF_TOKENIZER_H_

#include <string>
#include <vector>

#include "core/model_files/gguf_writer.h"
#include "core/model_files/model_files.h"

namespace statelib::model {

/// Writes a model's tokenizer as GGUF metadata: what another GGUF file has, as it is; else
/// tokenizer.json whole as "tokenizer.huggingface.json" and, for a byte-level BPE whose splitting
/// llama.cpp has a name for ("gpt-2", "falcon"), tokens, types and merges under "tokenizer.ggml.".
/// config: in Hugging Face's form, for the ids of the begin and the end. `vocabulary`: rows of the
/// embedding; ids that the tokenizer lacks become "[PADn]". Errors: kCorrupt for a tokenizer.json
/// that is none; kMismatch for one with more tokens than rows.
void AddGgufTokenizer(const model_files::ModelFiles& from, const JsonValue& config,
                      int64_t vocabulary, model_files::GgufMetadataWriter* metadata,
                      std::vector<std::string>* notes);

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_GGUF_TOKENIZER_H_
