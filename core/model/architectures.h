// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_ARCHITECTURES_H_
#define STATELIB_CORE_MODEL_ARCHITECTURES_H_

#include "core/model/model.h"

namespace statelib::model {

/// One architecture: a name, how its configuration is recognised, how it is loaded, and its
/// configuration in Hugging Face's form with every fact said, defaults too. Adding one is a file
/// that defines these functions and a row in architectures.cc.
struct Architecture {
  const char* name;
  bool (*recognises)(const JsonValue& config);
  std::unique_ptr<Model> (*load)(const model_files::ModelFiles& model_files,
                                 kernels::Backend& backend);
  std::string (*published_config)(const model_files::ModelFiles& model_files);
};

/// The table of architectures.
std::span<const Architecture> Architectures();

/// The model's configuration in Hugging Face's form, whatever form it has. Errors: as
/// LoadModel for the configuration.
std::string PublishedConfig(const model_files::ModelFiles& model_files);

bool RecognisesMamba1(const JsonValue& config);
std::unique_ptr<Model> LoadMamba1(const model_files::ModelFiles& model_files,
                                  kernels::Backend& backend);
std::string PublishedConfigOfMamba1(const model_files::ModelFiles& model_files);

bool RecognisesMamba2(const JsonValue& config);
std::unique_ptr<Model> LoadMamba2(const model_files::ModelFiles& model_files,
                                  kernels::Backend& backend);
std::string PublishedConfigOfMamba2(const model_files::ModelFiles& model_files);

bool RecognisesFalconMamba(const JsonValue& config);
std::unique_ptr<Model> LoadFalconMamba(const model_files::ModelFiles& model_files,
                                       kernels::Backend& backend);
std::string PublishedConfigOfFalconMamba(const model_files::ModelFiles& model_files);

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_ARCHITECTURES_H_
