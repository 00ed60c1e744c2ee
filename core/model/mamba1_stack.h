// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_MAMBA1_STACK_H_
#define STATELIB_CORE_MODEL_MAMBA1_STACK_H_

#include <memory>

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

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_MAMBA1_STACK_H_
