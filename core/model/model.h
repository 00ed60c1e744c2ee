// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_MODEL_H_
#define STATELIB_CORE_MODEL_MODEL_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/history.h"
#include "core/model/parts/part.h"
#include "core/model/state_layout.h"
#include "core/model/weights.h"
#include "core/model_files/model_files.h"
#include "kernels/backend.h"

namespace statelib::model {

struct Architecture;  // core/model/architectures.h
using ArchitectureTable = std::span<const Architecture* const>;
ArchitectureTable Architectures();

/// What a model is, for people, listings and checks.
struct ModelInfo {
  std::string architecture;     ///< "mamba"
  int64_t vocabulary_size = 0;  ///< rows of the head; a tokenizer may use fewer
  int64_t layers = 0;
  int64_t hidden_size = 0;  ///< D
  uint64_t parameters = 0;  ///< elements of all weight tensors, a tied head counted once
  std::vector<TokenId> end_of_text_ids;  ///< generation ends at any of these
  /// What it needs of a backend beyond the operations that each one has.
  std::vector<kernels::Operation> operations;
  /// What contradicts itself in the files, and which of it is used, a line each.
  std::vector<std::string> notes;
  /// What the files leave open, so that a model that computes something else may have been
  /// trained otherwise, and how to say so; a line each.
  std::vector<std::string> doubts;
};

/// What one token costs, for comparisons with what the hardware allows.
struct TokenWork {
  double body_multiply_adds = 0;  ///< of the matrix products before the head
  double head_multiply_adds = 0;
  /// Of the matrices that a token uses, in the form in which they are read; one pass a step. Of
  /// experts those that are chosen.
  double active_weight_bytes = 0;
  double stored_weight_bytes = 0;  ///< of every matrix, likewise
};

/// What a pass gives besides states.
struct PassOutputs {
  /// [sequences.rows, D]: the head's input after each token; null: not wanted.
  const kernels::Rows* every_hidden = nullptr;
  /// Sees what the parts compute for each token; null: nobody does.
  PassObserver* observer = nullptr;
};

/// The weights of one architecture, bound to the backend that computes with them. A sequence's
/// result does not depend on what else is in a pass, nor on how its tokens are cut into passes.
/// One thread at a time.
class Model {
 public:
  virtual ~Model() = default;

  virtual const ModelInfo& info() const = 0;
  /// The segments of one sequence's state. A sequence that has read nothing has zeros in its slot
  /// and no pages. The last segment is the hidden one, [D] in f32: the head's input after the last
  /// token.
  virtual const StateLayout& layout() const = 0;
  virtual TokenWork work() const = 0;
  virtual Weights& weights() = 0;
  /// Brings every weight into the backend's form that was not used yet, so that no later pass does.
  /// Errors: those of Weights::Prepare.
  void Prepare(const CancelFlag* cancel = nullptr) { weights().Prepare(cancel); }

  /// The most rows of one pass, which is what the backend prefers.
  virtual size_t rows_max() const = 0;

  /// Reads tokens, [sequences.rows] in the backend's memory, each in [0, vocabulary_size): of each
  /// sequence those of its rows. Afterwards each state is the one after its last token. The pass
  /// has at most rows_max() rows. Errors: std::bad_alloc and device failures, after which the
  /// states are to be discarded.
  virtual void Advance(const TokenId* tokens, const kernels::SequenceTable& sequences,
                       const PassOutputs& outputs = {}) = 0;

  /// out[s] = logits after hidden vector s. hidden, out: backend memory, [sequences, D] and
  /// [sequences, vocabulary].
  virtual void Logits(kernels::ConstRows hidden, kernels::Rows out) = 0;
};

/// Recognises a model's architecture, one of `architectures`, by its configuration and loads it.
/// Every tensor's presence, type and shape is checked before this returns; the files and the
/// backend must outlive the model. Errors: kUnsupported for an architecture, a feature or an
/// operation of the backend that is not there, kCorrupt for a config or tensors that do not fit
/// together.
std::unique_ptr<Model> LoadModel(const model_files::ModelFiles& model_files,
                                 kernels::Backend& backend,
                                 ArchitectureTable architectures = Architectures());

}  // namespace statelib::model

#endif  // STATELIB_CORE_MODEL_MODEL_H_
