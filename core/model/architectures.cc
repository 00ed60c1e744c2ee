// SPDX-License-Identifier: Apache-2.0
#include "core/model/architectures.h"

#include "core/base/error.h"

namespace statelib::model {

namespace {

constexpr Architecture kArchitectures[] = {
    {"mamba", &RecognisesMamba1, &LoadMamba1},
    {"mamba2", &RecognisesMamba2, &LoadMamba2},
    {"falcon_mamba", &RecognisesFalconMamba, &LoadFalconMamba},
};

std::string SupportedNames() {
  std::string names;
  for (const Architecture& architecture : kArchitectures) {
    names += (names.empty() ? "" : ", ") + std::string(architecture.name);
  }
  return names;
}

}  // namespace

std::unique_ptr<Model> LoadModel(const checkpoint::Checkpoint& checkpoint,
                                 kernels::Backend& backend) {
  const JsonValue config = checkpoint.config();
  if (!config.IsObject()) Throw(ErrorKind::kCorrupt, "{}: expected an object", config.Path());
  for (const Architecture& architecture : kArchitectures) {
    if (architecture.recognises(config)) return architecture.load(checkpoint, backend);
  }
  const auto type = config.Find("model_type");
  Throw(ErrorKind::kUnsupported, "{}: expected a model_type that statelib computes ({}), found {}",
        config.Path(), SupportedNames(),
        type && type->IsString() ? fmt::format("\"{}\"", type->String()) : "none");
}

}  // namespace statelib::model
