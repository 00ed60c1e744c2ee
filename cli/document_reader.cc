// SPDX-License-Identifier: Apache-2.0
#include "cli/document_reader.h"

#include <utility>

#include "cli/exit_code.h"
#include "cli/input.h"
#include "cli/terminal/quantities.h"
#include "core/base/error.h"

namespace statelib::cli {

std::vector<FileToRead> ListFiles(const Context& context, const std::vector<std::string>& given,
                                  const documents::FolderOptions& folders,
                                  std::vector<Unread>* unread, const std::filesystem::path& base) {
  std::vector<FileToRead> files;
  for (const std::string& name : given) {
    const std::filesystem::path path = name == "-" ? std::filesystem::path(name) : base / name;
    std::error_code ignored;
    if (name == "-" || !std::filesystem::is_directory(path, ignored)) {
      files.push_back({name, path.string(), path.filename().string(), false});
      continue;
    }
    const documents::FolderFiles found = documents::FilesIn(path, folders, &context.cancel);
    for (const documents::UnreadPlace& place : found.unread)
      unread->push_back({place.path.string(), place.reason});
    for (const auto& file : found.files) {
      const std::filesystem::path relative = file.lexically_relative(path);
      files.push_back(
          {base.empty() ? file.string() : (std::filesystem::path(name) / relative).string(),
           file.string(), relative.generic_string(), true});
    }
  }
  return files;
}

void TellUnread(Context& context, const std::vector<Unread>& unread) {
  for (const Unread& one : unread)
    context.notes.Add(Notes::Kind::kWarning, "left out: " + one.reason);
  if (!unread.empty()) context.exit_code = kExitPartial;
}

Json UnreadJson(const std::vector<Unread>& unread) {
  Json list = Json::array();
  for (const Unread& one : unread) list.push_back({{"name", one.name}, {"reason", one.reason}});
  return list;
}

namespace {

/// Reads a file to its end; says what tells it from any other.
library::SourceFile ReadPieces(const Context& context, const FileToRead& file,
                               const std::function<void(std::string_view)>& visit) {
  Input input = Input::Open(file.path, context.cancel);
  library::SourceFile source;
  Hasher hasher;
  input.ForEachPiece(documents::kFileBytesMax, [&](std::string_view piece) {
    source.size_bytes += piece.size();
    hasher.Update(piece);
    visit(piece);
  });
  source.digest = hasher.Finish();
  return source;
}

}  // namespace

DocumentReader::DocumentReader(const Context& context, documents::DocumentTemplate how)
    : context_(context), how_(std::move(how)), extractor_(HelperProgram("statelib-extract")) {
  documents::Before(how_, "", true);
}

DocumentReader::~DocumentReader() {
  try {
    SayNotes();
  } catch (const std::exception&) {
    // Standard error has gone, and with it the way to say so.
  }
}

library::SourceFile DocumentReader::Identify(const FileToRead& file) const {
  return ReadPieces(context_, file, [](std::string_view) {});
}

std::optional<library::Document> DocumentReader::Read(const FileToRead& file, bool is_first) {
  const std::string name = file.path == "-" ? "standard input" : file.name;
  const uint64_t before = texts_.size();
  const library::SourceFile source =
      ReadPieces(context_, file, [&](std::string_view piece) { texts_.Append(piece); });
  RunOf<char> text = texts_.All().Part(before);
  std::string encoding;
  bool guessed = false;
  const std::optional<documents::Utf8Count> plain = documents::CountPlainUtf8(text, name);
  if (!plain) {
    try {
      const std::vector<char> bytes = text.Values();
      documents::ExtractedText read =
          extractor_.Extract({bytes.data(), bytes.size()}, name, &context_.cancel);
      texts_.Append(read.text);
      text = texts_.All().Last(read.text.size());
      encoding = std::move(read.encoding);
      guessed = read.guessed;
    } catch (const Error& error) {
      if (!file.found || error.kind() != ErrorKind::kUnsupported) throw;
      Remember(Notes::Kind::kNote, fmt::format("skipped: {}", error.what()));
      return std::nullopt;
    }
  }
  if (file.found && text.empty()) return std::nullopt;
  if (guessed)
    Remember(Notes::Kind::kNote,
             fmt::format("{}: read as {}, a guess by its bytes", name, encoding));
  else if (!encoding.empty() && !encoding.starts_with("UTF-"))
    Remember(Notes::Kind::kNote, fmt::format("{}: read as {}", name, encoding));
  const size_t invalid = plain ? plain->invalid_bytes : 0;
  if (invalid > 0)
    Remember(Notes::Kind::kWarning,
             fmt::format("{}: {} not UTF-8 and read as U+FFFD", name,
                         invalid == 1 ? "1 byte is" : HumanCount(invalid, "byte") + " are"));
  return library::Document{file.name, Text(text), source,
                           documents::Before(how_, file.name, is_first), file.path};
}

void DocumentReader::Remember(Notes::Kind kind, std::string text) {
  notes_.push_back({kind, std::move(text)});
}

void DocumentReader::SayNotes() {
  for (; said_ < notes_.size(); ++said_) context_.notes.Add(notes_[said_].kind, notes_[said_].text);
}

}  // namespace statelib::cli
