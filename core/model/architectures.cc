// SPDX-License-Identifier: Apache-2.0
#include "core/model/architectures.h"

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/model/gguf_reading.h"

namespace statelib::model {

extern const Architecture kFalconMamba, kMamba1, kMamba2;

namespace {

constexpr const Architecture* kArchitectures[] = {
    &kMamba1,
    &kMamba2,
    &kFalconMamba,
};

std::string SupportedNames(ArchitectureTable architectures) {
  std::string names;
  for (const Architecture* const architecture : architectures) {
    names += (names.empty() ? "" : ", ") + std::string(architecture->name);
  }
  return names;
}

}  // namespace

ArchitectureTable Architectures() { return kArchitectures; }

const Architecture& ArchitectureOf(const JsonValue& config, ArchitectureTable architectures) {
  if (!config.IsObject()) Throw(ErrorKind::kCorrupt, "{}: expected an object", config.Path());
  for (const Architecture* const architecture : architectures) {
    if (architecture->recognises(config)) return *architecture;
  }
  const auto type = config.Find("model_type");
  Throw(ErrorKind::kUnsupported, "{}: expected a model_type that statelib computes ({}), found {}",
        config.Path(), SupportedNames(architectures),
        type && type->IsString() ? Quoted(type->String()) : "none");
}

std::unique_ptr<model_files::ModelFiles> OpenModelFiles(
    const std::filesystem::path& path, std::span<const model_files::ConfigFact> facts,
    ArchitectureTable architectures) {
  return model_files::ModelFiles::Open(
      path, facts,
      [architectures](const model_files::GgufMetadata& metadata,
                      const model_files::TensorTable& tensors, const std::string& name) {
        return TranslateGguf(metadata, tensors, name, architectures);
      });
}

std::unique_ptr<Model> LoadModel(const model_files::ModelFiles& model_files,
                                 kernels::Backend& backend, ArchitectureTable architectures) {
  std::unique_ptr<Model> model =
      ArchitectureOf(model_files.config(), architectures).load(model_files, backend);
  for (const kernels::Operation operation : model->info().operations) {
    if (backend.Supports(operation)) continue;
    Throw(ErrorKind::kUnsupported, "{}: {} needs {}, which the backend {} does not compute",
          model_files.path().string(), model->info().architecture, InfoOf(operation).name,
          backend.name());
  }
  return model;
}

std::string PublishedConfig(const model_files::ModelFiles& model_files) {
  return ArchitectureOf(model_files.config()).published_config(model_files);
}

}  // namespace statelib::model
