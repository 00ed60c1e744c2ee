// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_DOCUMENT_READER_H_
#define STATELIB_CLI_DOCUMENT_READER_H_

#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "statestore/documents/document_template.h"
#include "statestore/documents/extractor.h"
#include "statestore/documents/folder.h"
#include "statestore/library/ingest.h"

namespace statelib::cli {

/// A file to read.
struct FileToRead {
  std::string name;      ///< as the user gave it, or as it was found
  std::string path;      ///< where it lies
  std::string relative;  ///< its place in the folder that it was found in, else its last part
  bool found = false;    ///< in a folder, so that it is passed over when it holds no text
};

/// What was left out of a folder because it could not be read.
struct Unread {
  std::string name;
  std::string reason;  ///< names it too
};

/// The files that `given` means, those of its folders in order; "-" is standard input. Relative
/// ones lie in `base`. Adds to `unread` what of the folders cannot be looked into. Errors: those of
/// FilesIn.
std::vector<FileToRead> ListFiles(const Context& context, const std::vector<std::string>& given,
                                  const documents::FolderOptions& folders,
                                  std::vector<Unread>* unread,
                                  const std::filesystem::path& base = {});

/// Says what was left out, and lets the program exit with kExitPartial for it.
void TellUnread(Context& context, const std::vector<Unread>& unread);
/// The same for JSON: [{"name", "reason"}].
Json UnreadJson(const std::vector<Unread>& unread);

/// Gets documents out of files, and remembers what there is to say about them. One thread.
class DocumentReader {
 public:
  /// Says what is wrong with a heading. Errors: kInvalidArgument.
  DocumentReader(const Context& context, documents::DocumentTemplate how);
  ~DocumentReader();
  DocumentReader(const DocumentReader&) = delete;
  DocumentReader& operator=(const DocumentReader&) = delete;

  /// What tells a file from any other. Errors: those of Input::Open and Input::ForEachPiece.
  library::SourceFile Identify(const FileToRead& file) const;

  /// The document with what the template puts before it; nothing where a file that was found in a
  /// folder holds no text. Errors: those of Identify and Extractor::Extract.
  std::optional<library::Document> Read(const FileToRead& file, bool is_first);

  /// Says what was not plain and has not been said: encodings that were guessed, damaged
  /// bytes, files that were passed over. Called at the end too, so that lines stand alone after a
  /// progress bar.
  void SayNotes();

 private:
  struct Note {
    Notes::Kind kind;
    std::string text;
  };

  void Remember(Notes::Kind kind, std::string text);

  const Context& context_;
  documents::DocumentTemplate how_;
  documents::Extractor extractor_;
  Spool<char> texts_;  // of all documents, so that many of them take one file
  std::vector<Note> notes_;
  size_t said_ = 0;
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_DOCUMENT_READER_H_
