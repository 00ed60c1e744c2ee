// SPDX-License-Identifier: Apache-2.0
#include "core/engine/golden_file.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "core/base/error.h"
#include "core/model_files/safetensors_file.h"

namespace statelib::engine {

namespace {

using model_files::TensorRef;

constexpr std::string_view kCachePrefix = "cache.";
constexpr std::string_view kFirstState = ".0";

/// "cache.3.conv_states.0" taken apart; one without a number at its end is the first of its kind.
struct CacheName {
  int32_t layer = 0;
  std::string_view kind;
  bool is_first = true;
};

std::optional<CacheName> ParseCacheName(std::string_view name) {
  if (!name.starts_with(kCachePrefix)) return std::nullopt;
  name.remove_prefix(kCachePrefix.size());
  CacheName parsed;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), parsed.layer);
  const auto digits = static_cast<size_t>(end - name.data());
  if (error != std::errc() || digits == name.size() || name[digits] != '.') return std::nullopt;
  name.remove_prefix(digits + 1);
  const size_t dot = name.find('.');
  parsed.kind = name.substr(0, dot);
  parsed.is_first = dot == std::string_view::npos || name.substr(dot) == kFirstState;
  return parsed;
}

std::vector<TokenId> ReadIds(const TensorRef& tensor, int64_t vocabulary) {
  std::vector<TokenId> ids;
  for (const int64_t id : model_files::ReadI64(tensor)) {
    if (id < 0 || id >= vocabulary) {
      Throw(ErrorKind::kCorrupt, "{}: expected ids below the model's vocabulary of {}, found {}",
            tensor.Label(), vocabulary, id);
    }
    ids.push_back(static_cast<TokenId>(id));
  }
  return ids;
}

}  // namespace

bool IsFinite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

GoldenFile GoldenFile::Open(const std::filesystem::path& path, int64_t vocabulary) {
  GoldenFile golden(model_files::OpenSafetensors(path));
  const TensorRef& prompt = golden.file_.tensors().Get("input_ids");
  golden.prompt_ = ReadIds(prompt, vocabulary);
  if (golden.prompt_.empty())
    Throw(ErrorKind::kCorrupt, "{}: expected a prompt, found no token", prompt.Label());
  if (const TensorRef* greedy = golden.file_.tensors().Find("greedy"))
    golden.greedy_ = ReadIds(*greedy, vocabulary);
  for (const TensorRef& tensor : golden.file_.tensors().all()) golden.Sort(tensor);
  return golden;
}

void GoldenFile::Sort(const TensorRef& tensor) {
  constexpr std::string_view kOfLogits[] = {"logits", "last_logits", "next_token_logprob"};
  if (tensor.name == "input_ids" || tensor.name == "greedy") return;
  const std::optional<CacheName> name = ParseCacheName(tensor.name);
  const bool is_of_logits = std::ranges::find(kOfLogits, tensor.name) != std::end(kOfLogits);
  if ((name || is_of_logits) && !IsFinite(model_files::ReadF32(tensor)))
    not_finite_.push_back(tensor.name);
  if (is_of_logits) return;
  if (!name) {
    unknown_.push_back(tensor.name);
  } else if (name->is_first && name->kind == "conv_states") {
    caches_.push_back({name->layer, SegmentKind::kConv, &tensor});
  } else if (name->is_first && name->kind == "recurrent_states") {
    caches_.push_back({name->layer, SegmentKind::kSsm, &tensor});
  } else {
    // Keys, values and shifts belong to architectures that are not computed here.
    without_place_.push_back(tensor.name);
  }
}

std::vector<float> GoldenFile::Values(const char* name, size_t elements) const {
  const TensorRef* tensor = file_.tensors().Find(name);
  if (tensor == nullptr) return {};
  std::vector<float> values = model_files::ReadF32(*tensor);
  if (values.size() != elements) {
    Throw(ErrorKind::kCorrupt,
          "{}: expected {} elements, as the model and the prompt have, found {}", tensor->Label(),
          elements, values.size());
  }
  return values;
}

std::vector<float> ReadAsSegment(const TensorRef& tensor, const SegmentSpec& spec) {
  // The segment's axes with the last two exchanged, and how many columns lie in front.
  std::vector<int64_t> expected = spec.shape, found = tensor.shape;
  std::swap(expected[expected.size() - 1], expected[expected.size() - 2]);
  if (found.size() == expected.size() + 1 && found.front() == 1) found.erase(found.begin());
  size_t skipped = 0;
  if (spec.kind == SegmentKind::kConv && found != expected) {
    ++expected.back();
    skipped = 1;
  }
  if (found != expected) {
    Throw(ErrorKind::kCorrupt, "{}: expected the shape [{}], as the model has, found another one",
          tensor.Label(), fmt::join(expected, ", "));
  }
  const auto channels = static_cast<size_t>(spec.shape.back());
  const auto columns = static_cast<size_t>(spec.shape[spec.shape.size() - 2]);
  const std::vector<float> recorded = model_files::ReadF32(tensor);
  std::vector<float> values(spec.elements());
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t row = i / channels, channel = i % channels;
    const size_t head = row / columns, column = row % columns;
    values[i] = recorded[(head * channels + channel) * (columns + skipped) + column + skipped];
  }
  return values;
}

}  // namespace statelib::engine
