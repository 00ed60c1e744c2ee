// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_DOCUMENTS_H_
#define STATELIB_CLI_DOCUMENTS_H_

#include <functional>
#include <string>
#include <vector>

#include "cli/codec_options.h"
#include "cli/command.h"
#include "statestore/library/ingest.h"

namespace statelib::cli {

// What `ingest` and `append` have in common.
struct ReadingOptions {
  std::vector<std::string> files;
  bool forget_tokens = false;
  bool no_reuse = false;
  uint64_t checkpoint_stride_tokens = library::kCheckpointStrideTokens;
  CodecOptions codec;
};

/// FILE..., --forget-tokens, --no-reuse, --checkpoint-every and how to store the state.
void AddReadingOptions(Declaration& declaration, ReadingOptions& options);

/// Reads every file, checks that it is text and warns on standard error of bytes that are not
/// UTF-8. Errors: those of Input::Open and CheckIsText; kInvalidArgument for two times "-".
std::vector<library::Document> ReadDocuments(const Context& context,
                                             const std::vector<std::string>& files);

/// What a reading did, as one line or as JSON.
void PrintReading(const Context& context, const library::IngestResult& result);

/// Calls `read`, which is Ingest or Append, with the options and a progress bar on a terminal.
library::IngestResult ReadWithProgress(
    const Context& context, const ReadingOptions& options,
    const std::function<library::IngestResult(const library::IngestOptions&)>& read);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_DOCUMENTS_H_
