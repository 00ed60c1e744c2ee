// SPDX-License-Identifier: Apache-2.0
#include "core/model/gguf_target.h"

#include "core/base/error.h"

namespace statelib::model {

namespace {

constexpr int64_t kSizeMax = INT64_C(1) << 31;
// llama.cpp writes this for every recurrent model: it has no length of its own.
constexpr uint64_t kContextLength = 1 << 20;

}  // namespace

GgufTarget::GgufTarget(std::string_view architecture, const JsonValue& config,
                       std::span<const model_files::TensorToWrite> tensors, const std::string& path)
    : architecture_(architecture), config_(config), tensors_(tensors), path_(path) {}

uint64_t GgufTarget::Size(std::string_view key) const {
  return static_cast<uint64_t>(config_[key].Int(1, kSizeMax));
}

void GgufTarget::Refuse(bool found, std::string_view what) const {
  if (!found) return;
  Throw(ErrorKind::kUnsupported, "{}: GGUF cannot say {}; choose --to statelib", path_, what);
}

void GgufTarget::RefuseProjectionBiases() const {
  Refuse(config_["use_bias"].Bool(), "biases of the projections (use_bias)");
}

std::string GgufTarget::Key(std::string_view key) const {
  return fmt::format("{}.{}", architecture_, key);
}

void GgufTarget::AddSize(std::string_view key, uint64_t value) { metadata.AddU32(Key(key), value); }

void GgufTarget::AddBool(std::string_view key, bool value) { metadata.AddBool(Key(key), value); }

void GgufTarget::AddRecurrentDims() {
  AddSize("context_length", kContextLength);
  AddSize("embedding_length", Size("hidden_size"));
  AddSize("feed_forward_length", 0);
  AddSize("attention.head_count", 0);
  AddSize("block_count", Size("num_hidden_layers"));
  AddSize("ssm.conv_kernel", Size("conv_kernel"));
  AddSize("ssm.inner_size", Size("intermediate_size"));
  AddSize("ssm.state_size", Size("state_size"));
}

void GgufTarget::AddNormEpsilon() {
  metadata.AddF32(Key("attention.layer_norm_rms_epsilon"),
                  static_cast<float>(config_["layer_norm_epsilon"].Number()));
}

}  // namespace statelib::model
