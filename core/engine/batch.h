// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_BATCH_H_
#define STATELIB_CORE_ENGINE_BATCH_H_

#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "core/engine/pass.h"
#include "core/engine/state.h"
#include "core/model/model.h"
#include "kernels/sampling.h"

namespace statelib::engine {

/// What a sequence wants of a step besides its state.
enum class Wanted : uint8_t {
  kState,       ///< nothing
  kChoice,      ///< the choice of the token after the last one that it has to read now
  kLastLogits,  ///< the logits there
  kEveryLogits  ///< the logits after each token
};

/// What it is given of it, valid while it is told.
struct Given {
  std::span<const float> logits = {};             ///< rows of the vocabulary
  const kernels::SampleResult* choice = nullptr;  ///< of kChoice alone
};

/// A sequence as its batch sees it: what it has to read, and what becomes of it. The batch calls it
/// from the thread that steps it alone.
class BatchSequence {
 public:
  virtual ~BatchSequence() = default;

  virtual State& state() = 0;
  virtual Wanted wanted() const { return Wanted::kState; }
  /// The parameters of the choice, where it wants one; what they point to stays until Took().
  virtual kernels::SampleRow sample_row() const { return {}; }
  /// How many tokens it has to read now. 0: it leaves the batch, unless it wants the choice or the
  /// last logits of a state that has read something: then it is given those first.
  virtual size_t tokens_left() const = 0;
  /// The first `count` of them, 1 to tokens_left(); views until Took().
  virtual std::span<const TokenId> Next(size_t count) = 0;
  /// How many of these `count` stay open, and how many of those that the step before has left open
  /// were right (pass.h). A sequence that has open ones is told of its rows as of others.
  virtual size_t open(size_t /*count*/) const { return 0; }
  virtual size_t right() const { return 0; }
  /// Its state has read the first `count` of them. What it wanted after the last token is given
  /// once nothing is left to read; logits after each token are `count` rows. Of many rows it is
  /// told in several calls, when the state has read all of them already. What it throws comes out
  /// of Batch::Step once every sequence of the step was told.
  virtual void Took(size_t count, const Given& given) = 0;
};

/// Errors: kInvalidArgument for a token outside a model's vocabulary.
void CheckTokens(const model::ModelInfo& info, std::span<const TokenId> tokens);

/// The one scheduler: sequences with tokens to read, to score or to generate, which share the rows
/// of each pass over the model. What a sequence computes does not depend on what else there is.
/// Those that have little to read, as one that generates, have their rows in every step, and the
/// others equal shares of what is left; where there are more sequences than rows they take turns.
/// One thread steps it; adding and removing are safe from any thread.
class Batch {
 public:
  using Id = uint64_t;

  /// tokens: how many ids can be chosen; rows of the head behind them have no text.
  Batch(model::Model& model, kernels::Backend& backend, size_t tokens);
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  /// Takes part from the next step on. The sequence outlives its part.
  Id Add(BatchSequence& sequence);
  /// Takes no part in later steps; one that runs at this moment still tells it, so that another
  /// thread than the stepping one may not destroy it before that step is over. Unknown ids are
  /// passed over, for it may have ended.
  void Remove(Id id);

  /// One pass over the model. Returns false when no sequence has anything to do. Errors:
  /// kInvalidArgument for a token outside the vocabulary (nothing is read then, and the sequence
  /// stays); kUnsupported for a choice among more than kernels::kSampleTokensMax tokens;
  /// std::bad_alloc and device failures, after which the states of all are to be discarded; what
  /// Took() throws.
  bool Step();

 private:
  struct Member {
    Id id;
    BatchSequence* sequence;
  };
  /// What one sequence does in a step.
  struct Share {
    BatchSequence* sequence;
    size_t rows;
    std::span<const TokenId> tokens;
    bool is_last;  ///< of what it has to read now
  };

  std::vector<Share> Plan();
  void Read(std::span<const Share> shares);
  void GiveEveryLogits(const Share& share, size_t first_row, std::exception_ptr* failure);
  kernels::Rows LastLogits(std::span<const Share> shares);
  void GiveLastLogits(std::span<const Share> shares, std::exception_ptr* failure);
  void GiveChoices(std::span<const Share> shares, std::exception_ptr* failure);
  kernels::Rows LogitsOf(kernels::ConstRows hidden);
  std::span<const float> OnHost(const kernels::Rows& logits);
  float* RoomFor(size_t floats, kernels::Buffer* buffer);

  model::Model& model_;
  kernels::Backend& backend_;
  size_t tokens_;
  Pass pass_;
  kernels::Buffer hidden_;  // [rows, D]: of each row, or of each sequence's last one
  kernels::Buffer logits_;  // [kLogitsRowsMax, vocabulary]
  std::vector<float> host_logits_;
  std::mutex mutex_;
  std::vector<Member> members_;  // guarded by mutex_
  Id next_id_ = 1;               // guarded by mutex_
  size_t turn_ = 0;              // which member goes first where there are more than rows
};

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_BATCH_H_
