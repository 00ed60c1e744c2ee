// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_INGEST_H_
#define STATELIB_STATESTORE_LIBRARY_INGEST_H_

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/spool.h"
#include "statestore/library/library.h"
#include "statestore/library/models.h"
#include "statestore/library/save.h"

namespace statelib::library {

/// The bytes of a document's file, where its text is not those bytes.
struct SourceFile {
  uint64_t size_bytes = 0;
  Digest digest;
};

/// A document to read.
struct Document {
  std::string name;                     ///< as the user gave it; recorded
  Text text;                            ///< the document's; the states' search finds it
  std::optional<SourceFile> file = {};  ///< what is recorded of it; empty: `text` is the file
  std::string before = {};              ///< what is read before `text`: a separator, a heading
  std::string path = {};                ///< where it lies; empty: `name`, from the current folder
};

inline constexpr uint64_t kCheckpointStrideTokens = 4096;

struct IngestOptions {
  bool keep_tokens = true;  ///< false: of the history only count and hash are kept
  bool reuse = true;        ///< false: no stored state is looked for
  /// A checkpoint is left after every so many tokens, counted from the first of the history, and at
  /// the end of each document; 0: none at all.
  uint64_t checkpoint_stride_tokens = kCheckpointStrideTokens;
  /// What stands around the documents, recorded with them; their text has it in it already.
  storage::SourceTemplate text_template;
  CodecRequest codec;  ///< how the result is stored
  const CancelFlag* cancel = nullptr;
  /// Called as tokens are read; `tokens_total` is known from the first call on.
  std::function<void(uint64_t tokens_done, uint64_t tokens_total)> on_progress;
};

struct IngestResult {
  SavedState saved;
  std::optional<storage::StateRow> reused;  ///< the stored state that it started from
  uint64_t tokens_restored = 0;             ///< that this one had read
  uint64_t checkpoints = 0;                 ///< that were left on the way
  uint64_t tokens_read = 0;                 ///< that the model read now
  std::vector<storage::SourceRecord> sources;
  double tokenize_seconds = 0;
  double read_seconds = 0;  ///< the model's part
};

/// Reads documents, one after the other, into a new state and makes it the newest version of a
/// reference. The calling thread has the library, and stores while another one computes; it is the
/// one that all callbacks are called from. Until this returns nobody else uses the model's runtime.
/// Starts from the longest state of the library that their tokens begin with, and leaves
/// checkpoints, each stored durably as soon as it is reached, within the library's budget. So what
/// was stopped in the middle, by cancelling too, goes on when it is asked for again.
/// Errors: kInvalidArgument (no document, no tokens, a reference with a version); kCancelled; those
/// of SaveState. After any of them the names of the library are as they were.
IngestResult Ingest(Library& library, const LoadedModel& model, std::span<const Document> documents,
                    const storage::Reference& reference, const IngestOptions& options);

/// Goes on from a stored state with more documents and makes the result the newest version of a
/// reference, which may be the one that names the stored state. Errors: as Ingest; those of
/// LoadState.
IngestResult Append(Library& library, const LoadedModel& model, const storage::ResolvedState& base,
                    std::span<const Document> documents, const storage::Reference& reference,
                    const IngestOptions& options);

/// Documents that are to become one state.
struct IngestJob {
  storage::Reference reference;
  std::vector<Document> documents;
  IngestOptions options;
};

/// At most so many states are read side by side, and no more are begun while the text of those that
/// are exceeds so much.
inline constexpr size_t kBatchJobsMax = 16;
inline constexpr size_t kBatchTextBytesMax = size_t{256} << 20;

struct BatchOptions {
  /// The next job, asked for when there is room; nothing when there is none any more.
  std::function<std::optional<IngestJob>()> next;
  /// Called with each job's number, counted from 0 in the order of `next`, as soon as its state is
  /// stored and named.
  std::function<void(size_t job, const IngestResult& result)> done;
  /// Called for a job that cannot be done because of what it asks for (kInvalidArgument, kCorrupt,
  /// kUnsupported, kMismatch); the others go on. May throw the error on.
  std::function<void(size_t job, const Error& error)> failed;
  const CancelFlag* cancel = nullptr;
};

/// Ingests many states, several at once: their tokens go through the model in one batch, a finished
/// one making room for the next. Threads as with Ingest: texts are made tokens and states are
/// stored while others are read. Each is what Ingest would have made of it alone, to the bit, and
/// is committed by itself. Errors: kCancelled, after each unfinished reading has left a checkpoint;
/// what else `next`, `done`, `failed` and Ingest throw.
void IngestBatch(Library& library, const LoadedModel& model, const BatchOptions& how);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_INGEST_H_
