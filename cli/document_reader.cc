// SPDX-License-Identifier: Apache-2.0
#include "cli/document_reader.h"

#include <utility>

#include "cli/input.h"
#include "cli/terminal/printable.h"
#include "cli/terminal/quantities.h"
#include "core/base/error.h"

namespace statelib::cli {

std::vector<FileToRead> ListFiles(const Context& context, const std::vector<std::string>& given,
                                  const documents::FolderOptions& folders,
                                  const std::filesystem::path& base) {
  std::vector<FileToRead> files;
  for (const std::string& name : given) {
    const std::filesystem::path path = name == "-" ? std::filesystem::path(name) : base / name;
    std::error_code ignored;
    if (name == "-" || !std::filesystem::is_directory(path, ignored)) {
      files.push_back({name, path.string(), path.filename().string(), false});
      continue;
    }
    for (const auto& file : documents::FilesIn(path, folders, &context.cancel)) {
      const std::filesystem::path relative = file.lexically_relative(path);
      files.push_back(
          {base.empty() ? file.string() : (std::filesystem::path(name) / relative).string(),
           file.string(), relative.generic_string(), true});
    }
  }
  return files;
}

DocumentReader::DocumentReader(const Context& context, documents::Template how)
    : context_(context), how_(std::move(how)), extractor_(HelperProgram("statelib-extract")) {
  documents::Before(how_, "", true);
}

DocumentReader::~DocumentReader() {
  try {
    PrintNotes();
  } catch (const std::exception&) {
    // Standard error has gone, and with it the way to say so.
  }
}

DocumentReader::Opened DocumentReader::Open(const FileToRead& file) const {
  Input input = Input::Open(file.path, context_.cancel);
  Spool<char> bytes;
  Hasher hasher;
  input.ForEachPiece(documents::kFileBytesMax, [&](std::string_view piece) {
    bytes.Append(piece);
    hasher.Update(piece);
  });
  return {file, Text(bytes), {bytes.size(), hasher.Finish()}};
}

std::optional<library::Document> DocumentReader::Read(const Opened& opened, bool is_first) {
  const FileToRead& file = opened.file;
  const std::string name = file.path == "-" ? "standard input" : file.name;
  const std::string shown = Printable(name, LineBreaks::kEscape);
  Text text = opened.bytes;
  std::string encoding = "UTF-8";
  if (!documents::IsPlainUtf8(opened.bytes, name)) {
    try {
      const std::vector<char> bytes = opened.bytes.Values();
      documents::ExtractedText read =
          extractor_.Extract({bytes.data(), bytes.size()}, name, &context_.cancel);
      text = Text(read.text);
      encoding = std::move(read.encoding);
    } catch (const Error& error) {
      if (!file.found || error.kind() != ErrorKind::kUnsupported) throw;
      notes_.push_back("note: skipped: " + Printable(error.what(), LineBreaks::kEscape));
      return std::nullopt;
    }
  }
  if (file.found && text.empty()) return std::nullopt;
  if (!encoding.empty() && !encoding.starts_with("UTF-"))
    notes_.push_back(fmt::format("note: {}: read as {}", shown, encoding));
  documents::Utf8Counter counter;
  text.ForEach([&](std::span<const char> piece) { counter.Add({piece.data(), piece.size()}); });
  const size_t invalid = counter.Finish().invalid_bytes;
  if (invalid > 0)
    notes_.push_back(
        fmt::format("warning: {}: {} not UTF-8 and read as U+FFFD", shown,
                    invalid == 1 ? "1 byte is" : HumanCount(invalid, "byte") + " are"));
  return library::Document{file.name, std::move(text), opened.source,
                           documents::Before(how_, file.name, is_first), file.path};
}

void DocumentReader::PrintNotes() {
  for (const std::string& note : std::exchange(notes_, {}))
    context_.err.Print("statelib: {}\n", note);
  context_.err.Flush();
}

}  // namespace statelib::cli
