// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_READING_H_
#define STATELIB_STATESTORE_LIBRARY_READING_H_

#include <chrono>
#include <optional>
#include <span>
#include <vector>

#include "core/engine/runtime.h"
#include "statestore/library/ingest.h"
#include "statestore/library/tokenized_documents.h"

namespace statelib::library {

/// One state on its way, as a sequence of a batch: reads tokens into the longest stored state there
/// is, at least the one that `request` names as parent, leaves checkpoints and saves the result.
/// One thread.
class Reading : public engine::BatchSequence {
 public:
  /// Tokenizes the documents, which outlive it, and restores what it begins with. Errors:
  /// kInvalidArgument for a reference with a version; those of CheckFits, Tokenize and LoadState.
  Reading(Library& library, const LoadedModel& model, std::span<const Document> documents,
          SaveRequest request, const IngestOptions& options);
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  bool finished() const { return state_->token_count() == total_; }
  uint64_t tokens_done() const { return state_->token_count(); }  ///< restored ones included
  uint64_t tokens_total() const { return total_; }
  uint64_t checkpoints() const { return checkpoints_; }
  /// How many tokens the history has when the i-th document has been read.
  uint64_t document_end(size_t i) const { return ends_[i]; }

  engine::State& state() override { return *state_; }
  /// Up to where a checkpoint is due.
  size_t tokens_left() const override;
  std::span<const TokenId> Next(size_t count) override;
  void Took(size_t count, const engine::Given& given) override;

  /// Stores the finished state. Errors: those of SaveState.
  IngestResult Save();

  /// Keeps what has been read for the next time that it is asked for.
  void Stop();

 private:
  void TakeRequest(const storage::ResolvedState* base);
  void Restore(const storage::ResolvedState* base, const History& before);
  uint64_t NextStop(uint64_t from) const;
  void Report() const;
  void LeaveCheckpoint();

  Library& library_;
  const LoadedModel& model_;
  const IngestOptions& options_;
  SaveRequest request_;
  TokenizedDocuments documents_;
  /// Ends with the last token to read and begins with the first of the history, or with the first
  /// after the stored state that is gone on from.
  Spool<TokenId> known_;
  std::vector<TokenId> next_;   // what Next() gave
  uint64_t known_from_ = 0;     // the place of known_'s first token in the history
  uint64_t total_ = 0;          // tokens of the whole history
  std::vector<uint64_t> ends_;  // after which tokens a document ends
  bool keeps_tokens_ = true;
  bool makes_checkpoints_ = false;
  std::optional<storage::StateRow> reused_;  // the stored state that it began with
  std::optional<storage::StateRow> prefix_;  // the longest stored state on the way
  std::optional<engine::State> state_;
  uint64_t restored_ = 0;
  uint64_t checkpoints_ = 0;
  std::chrono::steady_clock::time_point started_;
};

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_READING_H_
