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

struct IngestOptions {
  bool keep_tokens = true;  ///< false: of the history only count and hash are kept
  CodecRequest codec;       ///< how the result is stored
  const CancelFlag* cancel = nullptr;
  /// Called as tokens are read; `tokens_total` is known from the first call on.
  std::function<void(uint64_t tokens_done, uint64_t tokens_total)> on_progress;
};

struct IngestResult {
  SavedState saved;
  uint64_t tokens_restored = 0;  ///< that came from a stored state
  uint64_t tokens_read = 0;      ///< that the model read now
  std::vector<storage::SourceRecord> sources;
  double tokenize_seconds = 0;
  double read_seconds = 0;  ///< the model's part
};

/// Reads documents, one after the other, into a new state and makes it the newest version of a
/// reference. A state of exactly these tokens that the library holds already is taken instead of
/// reading them again. Errors: kInvalidArgument (no document, no tokens, a reference with a
/// version); kCancelled; those of SaveState. After any of them the library is as it was.
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
