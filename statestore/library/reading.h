// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_READING_H_
#define STATELIB_STATESTORE_LIBRARY_READING_H_

#include <chrono>
#include <optional>
#include <span>

#include "core/engine/batch_driver.h"
#include "statestore/library/ingest.h"
#include "statestore/library/reading_sequence.h"
#include "statestore/library/tokenized_documents.h"

namespace statelib::library {

struct StoredState;  // load.h

/// How long the owner of readings waits for a step before it looks at its cancel flag again.
inline constexpr std::chrono::milliseconds kStepWait{100};

/// One state on its way, as the library sees it: begins with the longest stored state there is, at
/// least the one that `request` names as parent, lets a driver read the rest, stores checkpoints
/// and in the end the result while the driver goes on. One thread, that of the library.
class Reading {
 public:
  /// Tokenizes the documents, which outlive it as all that is given, and begins to read. Errors:
  /// kInvalidArgument for a reference with a version; those of CheckFits, Tokenize and LoadState.
  Reading(Library& library, const LoadedModel& model, engine::BatchDriver& driver,
          std::span<const Document> documents, SaveRequest request, const IngestOptions& options);
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  ~Reading();

  uint64_t tokens_done() const { return sequence_->tokens_done(); }  ///< restored ones included
  uint64_t tokens_total() const { return stops_.total; }
  uint64_t checkpoints() const { return checkpoints_; }
  /// How many tokens the longest state on the way has read that is stored.
  uint64_t tokens_stored() const { return prefix_ ? prefix_->history.token_count() : 0; }
  /// How many tokens the history has when the i-th document has been read.
  uint64_t document_end(size_t i) const { return stops_.ends[i]; }

  /// Whether one of the following has something to do; else a step is to be waited for.
  bool is_ready() const;
  /// Tells how far it is, where that is news.
  void Report();
  /// Stores a checkpoint, if one waits. Errors: those of PublishCheckpoint.
  void StoreNext();
  /// Whether all has been read, reported and stored, but for the result.
  bool is_finished() const;
  /// Stores the result, after which this is over. Errors: those of TakeValue and SaveState.
  IngestResult Save();

  /// Reads on no more, after the step that runs.
  void Leave() { driver_.Remove(id_); }
  /// Leaves, and keeps what has been read for the next time that it is asked for.
  void Stop();

 private:
  void TakeRequest(const storage::ResolvedState* base);
  std::optional<StoredState> FindBeginning(const storage::ResolvedState* base,
                                           const History& before);
  void Report(uint64_t tokens_done);
  void Begin(const std::optional<StoredState>& stored);
  /// Frees what the driver has of it; on the driver's thread.
  void End();
  void Store(const StateValue& value);

  Library& library_;
  const LoadedModel& model_;
  engine::BatchDriver& driver_;
  const IngestOptions& options_;
  SaveRequest request_;
  TokenizedDocuments documents_;
  /// Ends with the last token to read and begins with the first of the history, or with the first
  /// after the stored state that is gone on from.
  Spool<TokenId> known_;
  Stops stops_;
  bool keeps_tokens_ = true;
  std::optional<storage::StateRow> reused_;  // the stored state that it began with
  std::optional<storage::StateRow> prefix_;  // the longest stored state on the way
  uint64_t restored_ = 0;
  uint64_t reported_ = 0;  // of tokens_done()
  uint64_t checkpoints_ = 0;
  std::optional<ReadingSequence> sequence_;  // made and destroyed on the driver's thread
  engine::Batch::Id id_ = 0;                 // its
};

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_READING_H_
