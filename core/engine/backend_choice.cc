// SPDX-License-Identifier: Apache-2.0
#include "core/engine/backend_choice.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "core/base/error.h"
#include "core/base/printable.h"

namespace statelib::engine {

using kernels::WeightFormat;

namespace {

constexpr const char* kWeightChoices[] = {"auto", "f32", "bf16", "int8", "int4"};

}  // namespace

std::unique_ptr<kernels::Backend> MakeBackend(const BackendChoice& choice) {
  std::vector<std::string_view> names;
  for (const kernels::BackendEntry& entry : choice.backends) {
    names.emplace_back(entry.name);
    if (!choice.name.empty() && choice.name != entry.name) continue;
    try {
      return entry.make(choice.options);
    } catch (const std::invalid_argument& error) {
      throw Error(ErrorKind::kInvalidArgument, error.what());
    }
  }
  Throw(ErrorKind::kInvalidArgument, "backend: expected one of {}, found {}",
        fmt::join(names, ", "), Quoted(choice.name));
}

std::span<const char* const> WeightChoices() { return kWeightChoices; }

WeightFormat FormatOf(std::string_view weights) {
  for (const WeightFormat format :
       {WeightFormat::kF32, WeightFormat::kBF16, WeightFormat::kInt8, WeightFormat::kInt4}) {
    if (weights == kernels::NameOf(format)) return format;
  }
  if (weights == "auto") return WeightFormat::kStored;
  Throw(ErrorKind::kInvalidArgument, "weights: expected {}, found {}",
        fmt::join(kWeightChoices, ", "), Quoted(weights));
}

}  // namespace statelib::engine
