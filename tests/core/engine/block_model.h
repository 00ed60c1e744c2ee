// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_CORE_ENGINE_BLOCK_MODEL_H_
#define STATELIB_TESTS_CORE_ENGINE_BLOCK_MODEL_H_

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "core/model_files/encode.h"
#include "core/model_files/statelib_model.h"
#include "kernels/weight_blocks.h"
#include "tests/loose_tensors.h"

namespace statelib::engine {

/// Writes tiny models with random weights whose matrices are of one stored type, as statelib's
/// model files. One model a call.
class BlockModel {
 public:
  /// architecture: "mamba", "mamba2" or "falcon_mamba".
  BlockModel(const std::string& architecture, model_files::ElementType type)
      : architecture_(architecture), type_(type) {}

  void Write(const std::filesystem::path& path) {
    Matrix("backbone.embeddings.weight", kVocabulary, hidden());
    Vector("backbone.norm_f.weight", {hidden()}, 1, 0.3f);
    for (int layer = 0; layer < kLayers; ++layer) {
      layer_ = "backbone.layers." + std::to_string(layer) + ".";
      Vector(layer_ + "norm.weight", {hidden()}, 1, 0.3f);
      architecture_ == "mamba2" ? AddHeads() : AddChannels();
    }
    std::vector<model_files::TensorToWrite> tensors;
    for (const LooseTensor& tensor : tensors_)
      tensors.push_back({tensor.name, tensor.type, tensor.shape, tensor.bytes});
    model_files::WriteStatelibModel(FileSystem::Real(), path, tensors, Config(), "");
  }

 private:
  // Rows of whole blocks of 256; a vocabulary that fills no panel of outputs.
  static constexpr int64_t kVocabulary = 83;
  static constexpr int kLayers = 1;
  static constexpr int64_t kKernel = 4, kStates = 8, kRank = 32, kHeads = 4, kGroups = 2;

  int64_t hidden() const { return model_files::InfoOf(type_).block_elements == 256 ? 256 : 64; }
  int64_t inner() const { return 2 * hidden(); }

  std::string Config() const {
    const bool has_heads = architecture_ == "mamba2";
    std::string config = fmt::format(
        R"({{"model_type":"{}","vocab_size":{},"hidden_size":{},"num_hidden_layers":{},)"
        R"("state_size":{},"conv_kernel":{},"expand":2,"use_bias":false,"use_conv_bias":true,)"
        R"("tie_word_embeddings":true,"eos_token_id":0,)",
        architecture_, kVocabulary, hidden(), kLayers, kStates, kKernel);
    if (has_heads)
      return config + fmt::format(R"("num_heads":{},"head_dim":{},"n_groups":{}}})", kHeads,
                                  inner() / kHeads, kGroups);
    return config + fmt::format(R"("time_step_rank":{},"intermediate_size":{}}})", kRank, inner());
  }

  void AddChannels() {
    const std::string mixer = layer_ + "mixer.";
    Matrix(mixer + "in_proj.weight", 2 * inner(), hidden());
    Vector(mixer + "conv1d.weight", {inner(), 1, kKernel}, 0, 0.4f);
    Vector(mixer + "conv1d.bias", {inner()}, 0, 0.2f);
    Matrix(mixer + "x_proj.weight", kRank + 2 * kStates, inner());
    Vector(mixer + "dt_proj.weight", {inner(), kRank}, 0, 0.2f);
    Vector(mixer + "dt_proj.bias", {inner()}, -2, 1);
    Vector(mixer + "A_log", {inner(), kStates}, 0.5f, 0.7f);
    Vector(mixer + "D", {inner()}, 1, 0.3f);
    Matrix(mixer + "out_proj.weight", hidden(), inner());
  }

  void AddHeads() {
    const std::string mixer = layer_ + "mixer.";
    const int64_t convolved = inner() + 2 * kGroups * kStates;
    Matrix(mixer + "in_proj.weight", inner() + convolved + kHeads, hidden());
    Vector(mixer + "conv1d.weight", {convolved, 1, kKernel}, 0, 0.4f);
    Vector(mixer + "conv1d.bias", {convolved}, 0, 0.2f);
    Vector(mixer + "dt_bias", {kHeads}, -2, 1);
    Vector(mixer + "A_log", {kHeads}, 0.5f, 0.7f);
    Vector(mixer + "D", {kHeads}, 1, 0.3f);
    Vector(mixer + "norm.weight", {inner()}, 1, 0.3f);
    Matrix(mixer + "out_proj.weight", hidden(), inner());
  }

  std::vector<float> Random(size_t count, float mean, float spread) {
    std::normal_distribution<float> normal(mean, spread);
    std::vector<float> values(count);
    for (float& value : values) value = normal(engine_);
    return values;
  }

  void Vector(const std::string& name, std::vector<int64_t> shape, float mean, float spread) {
    size_t count = 1;
    for (const int64_t extent : shape) count *= static_cast<size_t>(extent);
    tensors_.push_back(FloatTensor(name, std::move(shape), Random(count, mean, spread)));
  }

  void Matrix(const std::string& name, int64_t rows, int64_t cols) {
    const auto count = static_cast<size_t>(rows * cols);
    const float spread = 1 / std::sqrt(static_cast<float>(cols));
    const bool has_encoder =
        !model_files::IsBlockType(type_) || type_ == model_files::ElementType::kQ8_0;
    tensors_.push_back({name,
                        type_,
                        {rows, cols},
                        has_encoder ? model_files::Encode(type_, Random(count, 0, spread), name)
                                    : RandomBlocks(count, spread)});
  }

  /// Blocks of random bits whose scales make weights of about this spread around zero.
  Bytes RandomBlocks(size_t count, float spread) {
    const kernels::WeightType type = *model_files::WeightTypeOf(type_);
    const kernels::WeightTypeInfo info = kernels::InfoOf(type);
    Bytes blocks(count / info.block_elements * info.block_bytes);
    for (std::byte& byte : blocks) byte = static_cast<std::byte>(engine_());
    // Halves from 1 to 2; then all smaller by the power of two that fits.
    SetScales(blocks, type, 15);
    std::vector<float> decoded(count);
    kernels::DecodeBlocks(type, blocks, decoded);
    double squares = 0;
    for (const float value : decoded) squares += double{value} * value;
    const double size = std::sqrt(squares / static_cast<double>(count)) / spread;
    // Zero is the exponent of subnormal halves, which Q6_K has in files too.
    SetScales(blocks, type, std::clamp(15 - static_cast<int>(std::lround(std::log2(size))), 0, 15));
    return blocks;
  }

  /// Gives each block's halves this exponent (15: from 1 to 2). A minimum takes the mean of the
  /// codes off: 8 or 16 times the scale.
  static void SetScales(Bytes& blocks, kernels::WeightType type, int exponent) {
    using kernels::WeightType;
    const bool has_minimums = kernels::LayoutOf(type).has_minimums;
    const bool is_k = type == WeightType::kQ4_K || type == WeightType::kQ5_K;
    const int shift = type == WeightType::kQ4_1 || type == WeightType::kQ4_K ? 3 : 4;
    const size_t at = type == WeightType::kQ6_K ? 208 : 0;
    for (size_t block = 0; block < blocks.size(); block += kernels::InfoOf(type).block_bytes) {
      const auto fraction = LoadLittle<uint16_t>(blocks.data() + block + at) & 0x03ff;
      const auto half = [&](int e) { return static_cast<uint16_t>((e << 10) | fraction); };
      StoreLittle(half(exponent), blocks.data() + block + at);
      if (!has_minimums) continue;
      // K blocks subtract their minimums, the others add them.
      const uint16_t sign = is_k ? 0 : 0x8000;
      StoreLittle(static_cast<uint16_t>(half(exponent + shift) | sign),
                  blocks.data() + block + at + 2);
    }
  }

  const std::string architecture_;
  const model_files::ElementType type_;
  std::mt19937 engine_{7};
  std::string layer_;
  LooseTensors tensors_;
};

}  // namespace statelib::engine

#endif  // STATELIB_TESTS_CORE_ENGINE_BLOCK_MODEL_H_
