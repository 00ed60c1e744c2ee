// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_RUNTIME_H_
#define STATELIB_CORE_ENGINE_RUNTIME_H_

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/engine/backend_choice.h"
#include "core/engine/batch.h"
#include "core/engine/snapshot.h"
#include "core/engine/state.h"
#include "core/engine/tokenizer_finder.h"
#include "core/model/model.h"
#include "core/model_files/fingerprint.h"
#include "core/model_files/model_files.h"
#include "core/tokenizer/tokenizer.h"
#include "kernels/limits.h"

namespace statelib::engine {

struct RuntimeOptions {
  BackendChoice backend = {};
  TokenizerPlaces tokenizer = {};  ///< besides the model's own
  /// How matrices are held: one of WeightChoices(). Empty: as `profile` needs, else "auto".
  std::string weights = {};
  std::string profile = {};  ///< base of the numerics profile of a state that is to be used
  /// Set in the model's configuration before anything reads it; they are part of its identity.
  std::vector<model_files::ConfigFact> config_facts = {};
  model::ArchitectureTable architectures = model::Architectures();
};

/// How an advance reports and stops.
struct AdvanceControl {
  const CancelFlag* cancel = nullptr;
  /// Called after every step with the tokens read so far, all sequences together.
  std::function<void(uint64_t tokens_done)> on_progress;
};

/// A model, its tokenizer and the backend that computes them: from text and states to states and
/// logits. One thread at a time.
class Runtime {
 public:
  /// Opens a model and its tokenizer (FindTokenizer). Reads headers and small tensors; weights
  /// are brought into the backend's form when they are first used. Errors: kNotFound, kCorrupt,
  /// kUnsupported, kMismatch, kInvalidArgument (unknown backend or instruction set), kIo.
  static std::unique_ptr<Runtime> Open(const std::filesystem::path& model_directory,
                                       const RuntimeOptions& options);

  /// The same without a tokenizer, for checks of models that carry none: tokenizer() must not
  /// be called.
  static std::unique_ptr<Runtime> OpenWithoutTokenizer(const std::filesystem::path& model_directory,
                                                       const RuntimeOptions& options);

  /// The tokenizer that Open() would take. The model is only looked at where its own tokenizer.json
  /// or the given one does not settle it. Errors: those of Open().
  static std::unique_ptr<tokenizer::Tokenizer> OpenTokenizer(
      const std::filesystem::path& model_directory, const TokenizerPlaces& places);

  const model_files::ModelFiles& model_files() const { return *model_files_; }
  bool has_tokenizer() const { return tokenizer_ != nullptr; }
  const tokenizer::Tokenizer& tokenizer() const { return *tokenizer_; }
  /// Where the tokenizer was found; empty without one.
  const std::filesystem::path& tokenizer_path() const { return tokenizer_path_; }
  const model::ModelInfo& info() const { return model_->info(); }
  const model::StateLayout& state_layout() const { return model_->layout(); }
  /// The segments of a state that has read so many tokens.
  StateSpec SpecFor(uint64_t token_count) const { return model_->layout().SpecFor(token_count); }
  /// How many rows a pass over the model has at most.
  size_t rows_max() const { return model_->rows_max(); }
  /// Sequences of states of this runtime, which outlives them.
  std::unique_ptr<Batch> MakeBatch();
  /// Brings every weight into the backend's form now. Errors: those of Model::Prepare.
  void Prepare(const CancelFlag* cancel = nullptr) { model_->Prepare(cancel); }
  model::TokenWork work() const { return model_->work(); }
  std::string backend_name() const { return backend_->name(); }
  int threads() const { return backend_->threads(); }
  /// What its products are made of.
  kernels::Arithmetic arithmetic() const;
  /// What the model asks of the backend, and how its matrices are held.
  kernels::ProfileRequest profile_request() const;
  /// The base of the numerics profile of every state that this runtime computes, as its backend
  /// says it.
  std::string profile() const { return backend_->ProfileOf(profile_request()); }
  /// The one that it would have with this choice of weights; empty where the backend does not hold
  /// them so. Errors: kInvalidArgument.
  std::string ProfileWith(std::string_view weights) const;
  /// The choice of weights under which the same backend computes this model in the profile of this
  /// base; null where none does.
  const char* WeightChoiceFor(std::string_view base) const;

  /// Keeps the weights in the backend's form in one file of `folder`, and uses them from there: at
  /// once where the file is there and right; else, where `files` is not null, after packing them
  /// into it. A file that cannot be written or mapped is done without. Called before anything is
  /// computed.
  /// fingerprint: the model's. `on_progress` follows the packing. Errors: kCancelled.
  void UsePackedWeights(const std::filesystem::path& folder, const Digest& fingerprint,
                        FileSystem* files, const CancelFlag* cancel = nullptr,
                        const model_files::HashProgress& on_progress = {});
  /// The name of that file, for this model, format and backend:
  /// "FINGERPRINT-FORMAT-LAYOUT.weights".
  std::string PackedWeightsName(const Digest& fingerprint) const;

  /// The model's identity: configuration, weights and tokenizer, by content. Reads every weight
  /// once (about 1 GB/s a thread), so callers keep the result. Errors: kCancelled.
  Digest ComputeFingerprint(const CancelFlag* cancel = nullptr,
                            const model_files::HashProgress& on_progress = {}) const;

  /// The state that has read nothing.
  State Empty();
  State Clone(const State& state);
  /// A state from its stored segments, in the order of SpecFor(its token count).
  /// Errors: kMismatch when the number or the size of a segment is another one.
  State Restore(const History& history, std::span<const ByteSpan> segments);
  /// The segments' bytes, in the order of SpecFor(its token count); of those along the token axis
  /// the tokens from number `first_token` on alone, for a caller that has the others.
  engine::Snapshot BeginSnapshot(const State& state, uint64_t first_token = 0);
  std::vector<Bytes> Snapshot(const State& state, uint64_t first_token = 0) {
    return BeginSnapshot(state, first_token).Finish();
  }

  /// Reads tokens into each state. The bits of the result do not depend on how tokens are cut into
  /// calls, on the other sequences of the call, or on the number of threads. Sequences of different
  /// lengths are read side by side. Errors: kInvalidArgument for a token outside the vocabulary
  /// (nothing is read then); kCancelled between two steps (each state is then a sound state of the
  /// tokens that its history says).
  void Advance(std::span<const PrefillChunk> sequences, const AdvanceControl& control = {});
  void Advance(State& state, std::span<const TokenId> tokens, const AdvanceControl& control = {});

  /// The same for one sequence, with the logits after each token, [vocabulary_size], in order;
  /// `visit` is called once a token, when the state has read more. Costs the head for every token.
  /// Errors: as Advance.
  void AdvanceWithLogits(State& state, std::span<const TokenId> tokens,
                         const std::function<void(std::span<const float> logits)>& visit,
                         const CancelFlag* cancel = nullptr);

  /// The logits after each state's last token, [states, vocabulary_size], from the stored hidden
  /// vectors alone. Errors: kInvalidArgument for a state that has read nothing.
  std::vector<float> Logits(std::span<const State* const> states);
  std::vector<float> Logits(const State& state);

 private:
  Runtime() = default;

  // In the order of construction: each uses those above it.
  std::unique_ptr<kernels::Backend> backend_;
  std::unique_ptr<model_files::ModelFiles> model_files_;
  std::unique_ptr<tokenizer::Tokenizer> tokenizer_;
  std::filesystem::path tokenizer_path_;
  std::unique_ptr<model::Model> model_;
  std::unique_ptr<StatePool> pool_;
};

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_RUNTIME_H_
