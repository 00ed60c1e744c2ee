// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_GGUF_FORM_H_
#define STATELIB_CORE_MODEL_GGUF_FORM_H_

#include <span>
#include <string>
#include <string_view>

#include "core/model/gguf_names.h"
#include "core/model/gguf_source.h"
#include "core/model/gguf_target.h"

namespace statelib::model {

/// What GGUF says of an architecture: a constant beside the architecture, to which its row in
/// architectures.cc points. Source: the GGUF specification and llama.cpp's converter.
struct GgufForm {
  /// general.architecture, with which the keys of its metadata begin too.
  std::string_view architecture;
  /// The tensors of a layer, behind "blk.N." and "backbone.layers.N.".
  std::span<const GgufName> (*layer_names)();
  /// Whether a file of this general.architecture is of this one, where several share it.
  bool (*recognises)(const GgufSource& file);
  /// A file's configuration in Hugging Face's form. It is part of the fingerprint: what is written
  /// for a file must never change. What GGUF cannot say takes the value of the published models.
  /// Errors: kCorrupt for metadata or tensors that are missing or contradict each other.
  std::string (*config)(const GgufSource& file);
  /// Errors: kUnsupported for what a model has that this form cannot say.
  void (*require_sayable)(const GgufTarget& model);
  /// Writes the metadata under the architecture's keys.
  void (*describe)(GgufTarget* model);
};

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_GGUF_FORM_H_
