// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_ARCHITECTURES_H_
#define STATELIB_CORE_MODEL_ARCHITECTURES_H_

#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "core/model/gguf_form.h"
#include "core/model/model.h"

namespace statelib::model {

/// One architecture: a name, how its configuration is recognised, how it is loaded, its
/// configuration in Hugging Face's form with every fact said, defaults too, and what GGUF says of
/// it. Adding one is a file that defines this constant and a row in architectures.cc.
struct Architecture {
  const char* name;
  bool (*recognises)(const JsonValue& config);
  std::unique_ptr<Model> (*load)(const model_files::ModelFiles& model_files,
                                 kernels::Backend& backend);
  std::string (*published_config)(const model_files::ModelFiles& model_files);
  const GgufForm* gguf = nullptr;  ///< nullptr: GGUF has no words for it
};

/// The table.
ArchitectureTable Architectures();
/// The one of them that recognises a configuration. Errors: kUnsupported where none does; kCorrupt
/// for a configuration that is no object.
const Architecture& ArchitectureOf(const JsonValue& config,
                                   ArchitectureTable architectures = Architectures());

/// ModelFiles::Open with the table's words for GGUF.
std::unique_ptr<model_files::ModelFiles> OpenModelFiles(
    const std::filesystem::path& path, std::span<const model_files::ConfigFact> facts = {},
    ArchitectureTable architectures = Architectures());

/// The model's configuration in Hugging Face's form, whatever form it has. Errors: as
/// LoadModel for the configuration.
std::string PublishedConfig(const model_files::ModelFiles& model_files);

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_ARCHITECTURES_H_
