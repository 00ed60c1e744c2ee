// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_TOKENIZED_DOCUMENTS_H_
#define STATELIB_STATESTORE_LIBRARY_TOKENIZED_DOCUMENTS_H_

#include <span>
#include <vector>

#include "statestore/library/ingest.h"

namespace statelib::library {

/// The documents as one run of tokens, and what is recorded about each.
struct TokenizedDocuments {
  std::vector<TokenId> tokens;
  std::vector<storage::SourceRecord> sources;
  std::vector<storage::SourceText> texts;  // views into the documents
  double seconds = 0;
};

/// The documents must outlive the result. `add_special` is for the first one. Errors:
/// kInvalidArgument when there is no document or no token; kCancelled; those of the tokenizer.
TokenizedDocuments Tokenize(const Library& library, const LoadedModel& model,
                            std::span<const Document> documents, tokenizer::AddSpecial add_special,
                            const CancelFlag* cancel);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_TOKENIZED_DOCUMENTS_H_
