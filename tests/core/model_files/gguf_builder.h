// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_CORE_MODEL_FILES_GGUF_BUILDER_H_
#define STATELIB_TESTS_CORE_MODEL_FILES_GGUF_BUILDER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/model_files/gguf_metadata.h"
#include "tests/core/model_files/raw_bytes.h"

namespace statelib::model_files {

/// Writes a GGUF file piece by piece, wrong ones too.
class GgufBuilder {
 public:
  static std::string Text(std::string_view text) {
    return Raw(uint64_t{text.size()}) + std::string(text);
  }

  /// A metadata pair of a type and its raw bytes.
  GgufBuilder& Value(std::string_view key, GgufType type, const std::string& raw) {
    values_ += Text(key) + Raw(static_cast<uint32_t>(type)) + raw;
    ++value_count_;
    return *this;
  }
  GgufBuilder& U32(std::string_view key, uint32_t value) {
    return Value(key, GgufType::kU32, Raw(value));
  }
  GgufBuilder& F32(std::string_view key, float value) {
    return Value(key, GgufType::kF32, Raw(value));
  }
  GgufBuilder& String(std::string_view key, std::string_view value) {
    return Value(key, GgufType::kString, Text(value));
  }
  GgufBuilder& Array(std::string_view key, GgufType type, uint64_t count, const std::string& raw) {
    return Value(key, GgufType::kArray, Raw(static_cast<uint32_t>(type)) + Raw(count) + raw);
  }

  /// A tensor; `axes` fastest first, as the file has them.
  GgufBuilder& Tensor(std::string_view name, const std::vector<uint64_t>& axes, uint32_t type,
                      const std::string& bytes) {
    return TensorAt(name, axes, type, data_.size(), bytes);
  }
  GgufBuilder& TensorAt(std::string_view name, const std::vector<uint64_t>& axes, uint32_t type,
                        uint64_t offset, const std::string& bytes) {
    tensors_ += Text(name) + Raw(static_cast<uint32_t>(axes.size()));
    for (const uint64_t axis : axes) tensors_ += Raw(axis);
    tensors_ += Raw(type) + Raw(offset);
    data_ += bytes;
    data_.resize((data_.size() + alignment - 1) / alignment * alignment, '\0');
    ++tensor_count_;
    return *this;
  }

  std::string Build(uint32_t version = 3) const {
    std::string file =
        "GGUF" + Raw(version) + Raw(tensor_count_) + Raw(value_count_) + values_ + tensors_;
    file.resize((file.size() + alignment - 1) / alignment * alignment, '\0');
    return file + data_;
  }

  uint64_t alignment = 32;

 private:
  uint64_t value_count_ = 0;
  uint64_t tensor_count_ = 0;
  std::string values_;
  std::string tensors_;
  std::string data_;
};

/// The metadata of a small Mamba: D = 4, E = 8, N = 2, R = `rank`, K = 4, one layer.
inline GgufBuilder SmallMamba(uint32_t rank = 3) {
  GgufBuilder builder;
  builder.String("general.architecture", "mamba")
      .U32("mamba.embedding_length", 4)
      .U32("mamba.block_count", 1)
      .U32("mamba.ssm.conv_kernel", 4)
      .U32("mamba.ssm.inner_size", 8)
      .U32("mamba.ssm.state_size", 2)
      .U32("mamba.ssm.time_step_rank", rank)
      .F32("mamba.attention.layer_norm_rms_epsilon", 1e-5f);
  return builder;
}

}  // namespace statelib::model_files

#endif  // STATELIB_TESTS_CORE_MODEL_FILES_GGUF_BUILDER_H_
