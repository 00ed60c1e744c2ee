// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_MAMBA1_STACK_H_
#define STATELIB_CORE_MODEL_MAMBA1_STACK_H_

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/model/gguf_form.h"
#include "core/model/layer_stack.h"
#include "core/model/parts/mamba1_mixer.h"

namespace statelib::model {

/// A stack of selective state space blocks.
struct Mamba1StackConfig {
  ModelDims dims;
  Mamba1Facts mixer;
};

/// Loads the network's tensors by their published names. Errors: as LoadModel.
std::unique_ptr<Model> LoadMamba1Stack(const Mamba1StackConfig& config,
                                       const model_files::ModelFiles& model_files,
                                       kernels::Backend& backend);

/// The configuration in Hugging Face's form.
std::string PublishedConfigOf(const Mamba1StackConfig& config,
                              const model_files::ModelFiles& model_files);

/// GGUF's words for both families (gguf_form.h): a layer's tensors; whether dt, B and C are
/// normalised; the configuration; the metadata but for those norms.
std::span<const GgufName> Mamba1GgufNames();
bool HasInnerNormsInGguf(const GgufSource& file);
std::string Mamba1ConfigOfGguf(const GgufSource& file, std::string_view model_type);
void DescribeMamba1InGguf(GgufTarget* model);

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_MAMBA1_STACK_H_
