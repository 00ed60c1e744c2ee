// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_MAMBA1_STACK_H_
#define STATELIB_CORE_MODEL_MAMBA1_STACK_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/model/gguf_form.h"
#include "core/model/layer_stack.h"

namespace statelib::model {

/// A stack of selective state space blocks (Gu & Dao 2023) with the facts in which published
/// families differ. Dimensions by the letters of the literature.
struct Mamba1StackConfig {
  ModelDims dims;
  int64_t inner = 0;             // E
  int64_t states = 0;            // N
  int64_t dt_rank = 0;           // R
  int64_t kernel = 0;            // K
  std::optional<bool> use_bias;  ///< of in_proj and out_proj; without a word the tensors decide
  bool use_conv_bias = true;
  /// With a value, dt, B and C are each RMS-normalised without weights before they are used.
  std::optional<float> dt_b_c_norm_epsilon;
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
