// SPDX-License-Identifier: Apache-2.0
#include "statestore/documents/formats/formats.h"

#include "core/base/error.h"
#include "statestore/documents/format.h"
#include "statestore/documents/formats/zip_parts.h"

namespace statelib::documents {

namespace {

/// DOCX and EPUB are told apart by what lies in them.
ExtractedText ReadZipDocument(std::string_view bytes, const std::string& name) {
  bool has_word = false;
  bool has_container = false;
  ReadZip(bytes, name, [&](std::string_view part) {
    has_word |= part == "word/document.xml";
    has_container |= part == "META-INF/container.xml";
    return false;
  });
  if (has_word) return ReadDocx(bytes, name);
  if (has_container) return ReadEpub(bytes, name);
  Throw(ErrorKind::kUnsupported,
        "{} is a ZIP archive, neither DOCX nor EPUB; unpack it and name the files", name);
}

ExtractedText RefuseBinary(std::string_view bytes, const std::string& name) {
  Throw(ErrorKind::kUnsupported, "{} is {}; read are text, Markdown, HTML, PDF, DOCX and EPUB",
        name, BinaryKind(bytes));
}

struct FormatReader {
  Format format;
  ExtractedText (*read)(std::string_view bytes, const std::string& name);
};

constexpr FormatReader kReaders[] = {
    {Format::kText, ReadText},       {Format::kHtml, ReadHtml},       {Format::kPdf, ReadPdf},
    {Format::kZip, ReadZipDocument}, {Format::kBinary, RefuseBinary},
};

}  // namespace

ExtractedText Extract(std::string_view bytes, const std::string& name) {
  if (bytes.size() > kFileBytesMax)
    Throw(ErrorKind::kInvalidArgument, "{} is longer than {} bytes, the most that is read", name,
          kFileBytesMax);
  const Format format = Recognise(bytes, name);
  for (const FormatReader& reader : kReaders)
    if (reader.format == format) return reader.read(bytes, name);
  Throw(ErrorKind::kUnsupported, "{}: no reader for this format", name);
}

}  // namespace statelib::documents
