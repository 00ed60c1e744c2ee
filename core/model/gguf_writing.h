// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_GGUF_WRITING_H_
#define STATELIB_CORE_MODEL_GGUF_WRITING_H_

#include <filesystem>
#include <string>
#include <vector>

#include "core/model_files/model_files.h"
#include "core/model_files/tensor_to_write.h"

namespace statelib::model {

/// Writes a GGUF file with llama.cpp's names for metadata and tensors, which stand beside each
/// architecture (gguf_form.h). config: in Hugging Face's form with every fact said
/// (architectures.h). tensors: under Hugging Face's names, but for mixer.A. The tokenizer goes in
/// as "tokenizer.huggingface.json", and as llama.cpp's own arrays where it is of a kind that those
/// can say. Convolutions without biases get zero biases, which the format's readers want. `notes`
/// gets a line for what is lost or what other programs cannot read. Errors: kUnsupported for an
/// architecture that GGUF has no words for, and for what its form cannot say; those of WriteGguf.
void WriteGgufForm(const model_files::ModelFiles& from, const std::string& config,
                   std::vector<model_files::TensorToWrite> tensors, const std::filesystem::path& to,
                   std::vector<std::string>* notes);

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_GGUF_WRITING_H_
