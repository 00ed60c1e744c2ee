// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_INGEST_H_
#define STATELIB_STATESTORE_LIBRARY_INGEST_H_

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

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
  std::string name;                     ///< as the user gave it; recorded, never opened
  std::string text;                     ///< what is read
  std::optional<SourceFile> file = {};  ///< what is recorded of it; empty: `text` is the file
  size_t before_bytes = 0;              ///< of `text` that are not the document's: a heading
};

inline constexpr uint64_t kCheckpointStrideTokens = 4096;

struct IngestOptions {
  bool keep_tokens = true;  ///< false: of the history only count and hash are kept
  bool reuse = true;        ///< false: no stored state is looked for
  /// A checkpoint is left after every so many tokens, counted from the first of the history, and at
  /// the end of each document; 0: none at all.
  uint64_t checkpoint_stride_tokens = kCheckpointStrideTokens;
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
/// reference. Starts from the longest state of the library that their tokens begin with, and leaves
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

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_INGEST_H_
