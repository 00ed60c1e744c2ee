// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_TOKENIZED_DOCUMENTS_H_
#define STATELIB_STATESTORE_LIBRARY_TOKENIZED_DOCUMENTS_H_

#include <span>
#include <vector>

#include "statestore/library/ingest.h"

namespace statelib::library {

/// Documents whose tokens are in a row.
struct TokenizedDocuments {
  uint64_t token_count = 0;  ///< of all
  std::vector<storage::SourceRecord> sources;
  std::vector<storage::SourceText> texts;
  double seconds = 0;
};

/// Appends the documents' tokens. `add_special` is for the first one. Errors: kInvalidArgument when
/// there is no document or no token; kCancelled; kIo; those of the tokenizer.
TokenizedDocuments Tokenize(const Library& library, const LoadedModel& model,
                            std::span<const Document> documents, tokenizer::AddSpecial add_special,
                            const CancelFlag* cancel, Spool<TokenId>& tokens);

/// The text of a source once more, from the tokens that were read of it, without the special tokens
/// before it and without `before`, if it begins with that. Errors: kIo.
storage::SourceText TextAgain(const tokenizer::Tokenizer& tokenizer, const std::string& before,
                              const RunOf<TokenId>& tokens, size_t position);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_TOKENIZED_DOCUMENTS_H_
