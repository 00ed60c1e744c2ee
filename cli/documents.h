// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_DOCUMENTS_H_
#define STATELIB_CLI_DOCUMENTS_H_

#include <functional>
#include <string>
#include <vector>

#include "cli/codec_options.h"
#include "cli/command.h"
#include "cli/document_reader.h"
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

/// How the files are put together. Errors: those of Unescaped.
documents::DocumentTemplate TemplateOf(const ReadingOptions& options);
/// Of folders, which files.
documents::FolderOptions FolderOptionsOf(const ReadingOptions& options);
/// What reading needs to know, but for progress. Errors: those of CodecRequestOf.
library::IngestOptions IngestOptionsOf(const Context& context, const ReadingOptions& options);

/// The documents of one state out of its files; `on_file` is told how many have been opened. A file
/// that was found in a folder and cannot be read is left out and added to `unread`, unless no other
/// is left. Errors: those of DocumentReader; kInvalidArgument for more than a gigabyte of text.
std::vector<library::Document> ReadFiles(DocumentReader& reader,
                                         const std::vector<FileToRead>& files,
                                         std::vector<Unread>* unread,
                                         const std::function<void(size_t done)>& on_file = {});

/// Reads every file, those in folders too, and gets the text out of it. Notes say what encoding was
/// guessed, how many bytes are damaged and which files of folders hold no text and are skipped;
/// what of folders cannot be read at all is left out, told and added to `unread`. Errors: those of
/// ListFiles and ReadFiles; kInvalidArgument for two times "-" and for folders without a document.
std::vector<library::Document> ReadDocuments(Context& context, const ReadingOptions& options,
                                             std::vector<Unread>* unread);

/// What a reading did, as JSON and as one line, with how long it took or without.
Json ReadingJson(const library::IngestResult& result);
Shown ReadingText(const Context& context, const library::IngestResult& result, bool with_time);
void PrintReading(const Context& context, const library::IngestResult& result,
                  const std::vector<Unread>& unread);

/// Calls `read`, which is Ingest or Append, with the options and a progress bar on a terminal.
library::IngestResult ReadWithProgress(
    const Context& context, const ReadingOptions& options,
    const std::function<library::IngestResult(const library::IngestOptions&)>& read);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_DOCUMENTS_H_
