// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_CORE_MODEL_LOGITS_OF_H_
#define STATELIB_TESTS_CORE_MODEL_LOGITS_OF_H_

#include <vector>

#include "core/model/model.h"
#include "kernels/backends.h"

namespace statelib::model {

/// Reads tokens into a state of zeros by a model of the reference backend, whose memory is the
/// host's. Returns the state's slot.
inline kernels::Buffer StateAfter(Model& model, kernels::Backend& backend,
                                  const std::vector<TokenId>& tokens) {
  const size_t bytes = model.layout().slot_bytes();
  kernels::Buffer slot = backend.Allocate(bytes / sizeof(float));
  backend.ZeroBytes(slot.bytes(), bytes);
  const kernels::SequenceEntry entry{0, static_cast<uint32_t>(tokens.size()), 0, slot.bytes(),
                                     nullptr};
  model.Advance(tokens.data(), {&entry, 1, tokens.size(), tokens.size(), 0});
  return slot;
}

/// Logits after a few tokens, all of them together.
inline std::vector<float> LogitsOf(const model_files::ModelFiles& model_files) {
  const auto backend = kernels::MakeReferenceBackend();
  const auto model = LoadModel(model_files, *backend);
  kernels::Buffer slot = StateAfter(*model, *backend, {3, 1, 4, 1, 5, 9, 2, 6});
  const StateLayout& layout = model->layout();
  float* const last =
      reinterpret_cast<float*>(slot.bytes() + layout.OffsetOf(layout.segments().size() - 1));
  const auto vocabulary = static_cast<size_t>(model->info().vocabulary_size),
             hidden = static_cast<size_t>(model->info().hidden_size);
  std::vector<float> logits(vocabulary);
  kernels::Buffer out = backend->Allocate(vocabulary);
  model->Logits({last, 1, hidden, hidden}, {out.data(), 1, vocabulary, vocabulary});
  backend->Download(out.data(), logits);
  return logits;
}

}  // namespace statelib::model

#endif  // STATELIB_TESTS_CORE_MODEL_LOGITS_OF_H_
