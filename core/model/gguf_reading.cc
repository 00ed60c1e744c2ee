// SPDX-License-Identifier: Apache-2.0
#include "core/model/gguf_reading.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/model/gguf_form.h"

namespace statelib::model {

namespace {

using model_files::TensorRef;

constexpr uint64_t kPartsMax = uint64_t{1} << 31;

const GgufForm& FormOf(const GgufSource& file, ArchitectureTable architectures) {
  std::vector<std::string> known;
  for (const Architecture* const architecture : architectures) {
    const GgufForm* form = architecture->gguf;
    if (form == nullptr) continue;
    if (form->architecture == file.architecture() && form->recognises(file)) return *form;
    const std::string name = Quoted(form->architecture);
    if (std::ranges::find(known, name) == known.end()) known.push_back(name);
  }
  Throw(ErrorKind::kUnsupported, "{}: metadata \"general.architecture\": expected {}, found {}",
        file.path(), fmt::join(known, " or "), Quoted(file.architecture()));
}

void RefuseParts(const GgufSource& file) {
  const model_files::GgufValue* parts = file.metadata().Find("split.count");
  if (parts == nullptr || parts->Uint(kPartsMax) <= 1) return;
  Throw(ErrorKind::kUnsupported,
        "{}: expected a model in one file, found one of {} parts; merge them with "
        "llama-gguf-split --merge",
        file.path(), parts->Uint(kPartsMax));
}

TensorRef Renamed(TensorRef tensor, const GgufName& name, const std::string& prefix) {
  tensor.name = prefix + std::string(name.published);
  if (name.reshape == GgufReshape::kColumn || name.reshape == GgufReshape::kGroups) {
    tensor.shape = {tensor.elements()};
  } else if (name.reshape == GgufReshape::kConv && tensor.shape.size() == 2) {
    tensor.shape.insert(tensor.shape.begin() + 1, 1);
  }
  return tensor;
}

TensorRef Published(const TensorRef& tensor, const GgufForm& form) {
  const auto model_names = GgufModelNames();
  const auto whole = std::ranges::find(model_names, tensor.name, &GgufName::gguf);
  if (whole != model_names.end()) return Renamed(tensor, *whole, "");
  const auto [layer, rest] = SplitLayerName(tensor.name, kGgufLayerPrefix);
  const auto layer_names = form.layer_names();
  const auto name = std::ranges::find(layer_names, rest, &GgufName::gguf);
  if (name != layer_names.end()) {
    return Renamed(tensor, *name, fmt::format("{}{}.", kPublishedLayerPrefix, layer));
  }
  Throw(ErrorKind::kUnsupported, "{}: expected a tensor of the architecture {}, found another",
        tensor.Label(), Quoted(form.architecture));
}

}  // namespace

model_files::GgufTranslation TranslateGguf(const model_files::GgufMetadata& metadata,
                                           const model_files::TensorTable& tensors,
                                           const std::string& path,
                                           ArchitectureTable architectures) {
  const GgufSource file(metadata, tensors, path);
  const GgufForm& form = FormOf(file, architectures);
  RefuseParts(file);
  model_files::GgufTranslation translation;
  translation.config = form.config(file);
  for (const TensorRef& tensor : tensors.all()) {
    translation.tensors.push_back(Published(tensor, form));
  }
  return translation;
}

}  // namespace statelib::model
