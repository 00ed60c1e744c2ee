// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_DOCUMENTS_H_
#define STATELIB_CLI_DOCUMENTS_H_

#include <functional>
#include <string>
#include <vector>

#include "cli/codec_options.h"
#include "cli/command.h"
#include "statestore/documents/folder.h"
#include "statestore/library/ingest.h"

namespace statelib::cli {

// What `ingest` and `append` have in common.
struct ReadingOptions {
  std::vector<std::string> files;
  documents::FolderOptions folders;
  bool no_ignore_files = false;
  std::string separator;  ///< as typed, with \n for a line feed
  std::string heading;    ///< the same
  bool forget_tokens = false;
  bool no_reuse = false;
  uint64_t checkpoint_stride_tokens = library::kCheckpointStrideTokens;
  CodecOptions codec;
};

/// FILE..., what is taken of folders, how files are put together, --forget-tokens, --no-reuse,
/// --checkpoint-every and how to store the state.
void AddReadingOptions(Declaration& declaration, ReadingOptions& options);

/// Reads every file, those in folders too, and gets the text out of it. Says on standard error what
/// encoding was guessed, how many bytes are damaged and which files of folders hold no text and are
/// skipped. Errors: those of Input::Open, FilesIn and Extractor::Extract; kInvalidArgument for two
/// times "-", for folders without a document and for more than a gigabyte of text.
std::vector<library::Document> ReadDocuments(const Context& context, const ReadingOptions& options);

/// What a reading did, as one line or as JSON.
void PrintReading(const Context& context, const library::IngestResult& result);

/// Calls `read`, which is Ingest or Append, with the options and a progress bar on a terminal.
library::IngestResult ReadWithProgress(
    const Context& context, const ReadingOptions& options,
    const std::function<library::IngestResult(const library::IngestOptions&)>& read);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_DOCUMENTS_H_
