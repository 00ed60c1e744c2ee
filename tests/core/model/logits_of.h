// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_CORE_MODEL_LOGITS_OF_H_
#define STATELIB_TESTS_CORE_MODEL_LOGITS_OF_H_

#include <vector>

#include "core/model/model.h"
#include "kernels/backends.h"

namespace statelib::model {

/// Logits after a few tokens, all of them together.
inline std::vector<float> LogitsOf(const model_files::ModelFiles& model_files) {
  const auto backend = kernels::MakeReferenceBackend();
  const auto model = LoadModel(model_files, *backend);
  size_t floats = 0;
  for (const SegmentSpec& segment : model->state_spec()) floats += segment.elements();
  kernels::Buffer state = backend->Allocate(floats);
  backend->Zero(state.data(), floats);
  std::vector<float*> segments;
  size_t at = 0;
  for (const SegmentSpec& segment : model->state_spec()) {
    segments.push_back(state.data() + at);
    at += segment.elements();
  }
  const std::vector<TokenId> tokens = {3, 1, 4, 1, 5, 9, 2, 6};
  const BatchSequence input{tokens, segments};
  model->Advance({&input, 1});
  const auto vocabulary = static_cast<size_t>(model->info().vocabulary_size),
             hidden = static_cast<size_t>(model->info().hidden_size);
  std::vector<float> logits(vocabulary);
  kernels::Buffer out = backend->Allocate(vocabulary);
  model->Logits({segments.back(), 1, hidden, hidden}, {out.data(), 1, vocabulary, vocabulary});
  backend->Download(out.data(), logits);
  return logits;
}

}  // namespace statelib::model

#endif  // STATELIB_TESTS_CORE_MODEL_LOGITS_OF_H_
