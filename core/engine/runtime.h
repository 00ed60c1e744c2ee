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
#include "core/checkpoint/checkpoint.h"
#include "core/engine/state.h"
#include "core/engine/tokenizer_finder.h"
#include "core/model/model.h"
#include "core/tokenizer/tokenizer.h"

namespace statelib::engine {

struct RuntimeOptions {
  std::string backend = "cpu";     ///< "cpu" or "reference"
  std::string cpu_target;          ///< an instruction set of kernels::CpuTargets(); empty: the best
  int threads = 0;                 ///< 0: every processor of this process
  TokenizerPlaces tokenizer = {};  ///< besides the model's own
};

/// One sequence to advance.
struct Advancing {
  State* state;
  std::span<const TokenId> tokens;
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
  /// Opens a checkpoint and its tokenizer (FindTokenizer). Reads headers and small tensors; weights
  /// are brought into the backend's form when they are first used. Errors: kNotFound, kCorrupt,
  /// kUnsupported, kMismatch, kInvalidArgument (unknown backend or instruction set), kIo.
  static std::unique_ptr<Runtime> Open(const std::filesystem::path& model_directory,
                                       const RuntimeOptions& options);

  /// The same without a tokenizer, for checks of checkpoints that carry none: tokenizer() must not
  /// be called.
  static std::unique_ptr<Runtime> OpenWithoutTokenizer(const std::filesystem::path& model_directory,
                                                       const RuntimeOptions& options);

  /// The tokenizer that Open() would take. The model is only looked at where its own tokenizer.json
  /// or the given one does not settle it. Errors: those of Open().
  static std::unique_ptr<tokenizer::Tokenizer> OpenTokenizer(
      const std::filesystem::path& model_directory, const TokenizerPlaces& places);

  const checkpoint::Checkpoint& checkpoint() const { return *checkpoint_; }
  bool has_tokenizer() const { return tokenizer_ != nullptr; }
  const tokenizer::Tokenizer& tokenizer() const { return *tokenizer_; }
  /// Where the tokenizer was found; empty without one.
  const std::filesystem::path& tokenizer_path() const { return tokenizer_path_; }
  const model::ModelInfo& info() const { return model_->info(); }
  const StateSpec& state_spec() const { return model_->state_spec(); }
  std::string backend_name() const { return backend_->name(); }
  /// The numerics profile of every state that this runtime computes.
  std::string profile() const;

  /// The model's identity: checkpoint and tokenizer, by content. Reads every weight once (about 1
  /// GB/s a thread), so callers keep the result. Errors: kCancelled.
  Digest ComputeFingerprint(const CancelFlag* cancel = nullptr) const;

  /// The state that has read nothing.
  State Empty();
  State Clone(const State& state);
  /// A state from its stored segments, in state_spec() order.
  /// Errors: kMismatch when the number or the size of a segment is another one.
  State Restore(const History& history, std::span<const ByteSpan> segments);
  /// The segments' bytes, in state_spec() order.
  std::vector<Bytes> Snapshot(const State& state);

  /// Reads tokens into each state. The bits of the result do not depend on how tokens are cut into
  /// calls, on the other sequences of the call, or on the number of threads. Sequences of different
  /// lengths are read side by side. Errors: kInvalidArgument for a token outside the vocabulary
  /// (nothing is read then); kCancelled between two steps (each state is then a sound state of the
  /// tokens that its history says).
  void Advance(std::span<const Advancing> sequences, const AdvanceControl& control = {});
  void Advance(State& state, std::span<const TokenId> tokens, const AdvanceControl& control = {});

  /// The logits after each state's last token, [states, vocabulary_size], from the stored hidden
  /// vectors alone. Errors: kInvalidArgument for a state that has read nothing.
  std::vector<float> Logits(std::span<const State* const> states);
  std::vector<float> Logits(const State& state);

 private:
  Runtime() = default;

  // In the order of construction: each uses those above it.
  std::unique_ptr<kernels::Backend> backend_;
  std::unique_ptr<checkpoint::Checkpoint> checkpoint_;
  std::unique_ptr<tokenizer::Tokenizer> tokenizer_;
  std::filesystem::path tokenizer_path_;
  std::unique_ptr<model::Model> model_;
  size_t state_floats_ = 0;
};

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_RUNTIME_H_
