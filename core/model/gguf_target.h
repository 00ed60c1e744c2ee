// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_GGUF_TARGET_H_
#define STATELIB_CORE_MODEL_GGUF_TARGET_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/model_files/gguf_writer.h"
#include "core/model_files/tensor_to_write.h"

namespace statelib::model {

/// A model that becomes a GGUF file, as its architecture describes it: the configuration in Hugging
/// Face's form with every fact said, the tensors under Hugging Face's names, and the metadata that
/// grows. A view: the tensors and the path must outlive it. One thread at a time.
class GgufTarget {
 public:
  /// `path`: of the model, for messages.
  GgufTarget(std::string_view architecture, const JsonValue& config,
             std::span<const model_files::TensorToWrite> tensors, const std::string& path);

  const JsonValue& config() const { return config_; }
  std::span<const model_files::TensorToWrite> tensors() const { return tensors_; }
  /// A number of at least one that the configuration says. Errors: kCorrupt.
  uint64_t Size(std::string_view key) const;

  /// Errors: kUnsupported, where it is `found`, for `what` GGUF cannot say.
  void Refuse(bool found, std::string_view what) const;
  /// Refuses biases of the projections, for which no architecture's form has names.
  void RefuseProjectionBiases() const;

  /// Under "ARCHITECTURE.key".
  void AddSize(std::string_view key, uint64_t value);
  void AddBool(std::string_view key, bool value);
  /// From context_length to ssm.state_size: what every model with a recurrent state has.
  void AddRecurrentDims();
  void AddNormEpsilon();

  model_files::GgufMetadataWriter metadata;

 private:
  std::string Key(std::string_view key) const;

  const std::string architecture_;
  const JsonValue config_;
  const std::span<const model_files::TensorToWrite> tensors_;
  const std::string& path_;
};

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_GGUF_TARGET_H_
