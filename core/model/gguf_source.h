// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_GGUF_SOURCE_H_
#define STATELIB_CORE_MODEL_GGUF_SOURCE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/json_object.h"
#include "core/model_files/gguf_metadata.h"
#include "core/model_files/tensor_ref.h"

namespace statelib::model {

/// A GGUF file as an architecture reads it: metadata under the keys of its general.architecture,
/// and the parts of a configuration that several share. A view: the metadata, the tensors and the
/// path must outlive it. Thread-compatible. Errors, unless said otherwise: kCorrupt for what is
/// missing or of another type.
class GgufSource {
 public:
  /// Errors: kCorrupt where there is no general.architecture.
  GgufSource(const model_files::GgufMetadata& metadata, const model_files::TensorTable& tensors,
             const std::string& path);

  const std::string& path() const { return path_; }
  const std::string& architecture() const { return architecture_; }
  const model_files::GgufMetadata& metadata() const { return metadata_; }
  const model_files::TensorTable& tensors() const { return tensors_; }

  /// "ARCHITECTURE.key": a number of at least one.
  uint64_t Size(std::string_view key) const;
  /// "ARCHITECTURE.key": false where it is missing.
  bool Flag(std::string_view key) const;
  bool Has(std::string_view tensor) const { return tensors_.Find(tensor) != nullptr; }

  /// From model_type to conv_kernel: what every model with a recurrent state has.
  void AddRecurrentDims(std::string_view model_type, JsonObject* config) const;
  /// From layer_norm_epsilon to the ids of begin and end.
  void AddCommonFacts(JsonObject* config) const;

 private:
  uint64_t SizeUpTo(std::string_view key, uint64_t max) const;
  uint64_t VocabularySize(uint64_t hidden) const;
  void AddTokenId(std::string_view which, JsonObject* config) const;

  const model_files::GgufMetadata& metadata_;
  const model_files::TensorTable& tensors_;
  const std::string& path_;
  std::string architecture_;
};

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_GGUF_SOURCE_H_
