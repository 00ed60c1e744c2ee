// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/model_description.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

namespace statelib::library {

namespace {

/// [{"type", "tensors", "elements", "bytes"}], by type.
std::string WeightsJson(const model_files::ModelFiles& model_files) {
  struct Sum {
    uint64_t tensors = 0, elements = 0, bytes = 0;
  };
  std::map<std::string_view, Sum> sums;
  for (const model_files::TensorRef& tensor : model_files.tensors().all()) {
    Sum& sum = sums[model_files::NameOf(tensor.type)];
    ++sum.tensors;
    sum.elements += static_cast<uint64_t>(tensor.elements());
    sum.bytes += tensor.bytes.size();
  }
  std::string json;
  for (const auto& [type, sum] : sums) {
    json += fmt::format(R"({}{{"type":"{}","tensors":{},"elements":{},"bytes":{}}})",
                        json.empty() ? "" : ",", type, sum.tensors, sum.elements, sum.bytes);
  }
  return "[" + json + "]";
}

/// What contradicts itself in the files, a text a line of it.
std::string NotesJson(const engine::Runtime& runtime) {
  nlohmann::json notes = runtime.info().notes;
  for (const std::string& note : runtime.model_files().notes()) notes.push_back(note);
  return notes.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string DescriptionOf(const engine::Runtime& runtime) {
  const model::ModelInfo& info = runtime.info();
  return fmt::format(
      R"({{"layers":{},"hidden_size":{},"vocabulary_size":{},"parameters":{},"state_bytes":{},)"
      R"("weights":{},"notes":{}}})",
      info.layers, info.hidden_size, info.vocabulary_size, info.parameters,
      TotalBytes(runtime.SpecFor(0)), WeightsJson(runtime.model_files()), NotesJson(runtime));
}

}  // namespace statelib::library
