// SPDX-License-Identifier: Apache-2.0
#include "statestore/documents/extractor.h"

#include <gtest/gtest.h>

#include "tests/statestore/documents/pdf_builder.h"
#include "tests/statestore/documents/zip_builder.h"
#include "tests/statestore/expect_error.h"
#include "tests/temporary_directory.h"

namespace statelib::documents {
namespace {

std::string Program(const TemporaryDirectory& folder, const std::string& script) {
  const std::filesystem::path file = folder.Write("extract", "#!/bin/sh\n" + script);
  std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  return file.string();
}

TEST(Extractor, PlainTextNeedsNoProgram) {
  const Extractor extractor("/nonexistent");
  EXPECT_EQ(extractor.Extract("# Title\n\nd\xc3\xa9j\xc3\xa0", "a.md").text,
            "# Title\n\nd\xc3\xa9j\xc3\xa0");
  EXPECT_EQ(extractor.Extract("", "empty").text, "");
  ExpectError(ErrorKind::kNotFound, "/nonexistent", [&] { extractor.Extract("caf\xe9", "a.txt"); });
}

TEST(Extractor, EverythingElseIsReadByTheProgram) {
  const Extractor extractor(STATELIB_EXTRACT);
  EXPECT_EQ(extractor.Extract(PdfOf({"One page."}), "a.pdf").text, "One page.\n");
  EXPECT_EQ(extractor.Extract(PdfOf({"One page."}), "a.pdf").format, "pdf");
  EXPECT_EQ(extractor.Extract(DocxOf("<w:p><w:r><w:t>words</w:t></w:r></w:p>"), "a").text,
            "words\n");
  EXPECT_EQ(extractor.Extract("<html><p>a &amp; b", "a").text, "a & b\n");
  const ExtractedText latin = extractor.Extract("caf\xe9", "a.txt");
  EXPECT_EQ(latin.text, "caf\xc3\xa9");
  EXPECT_NE(latin.encoding, "UTF-8");
  EXPECT_EQ(extractor.Extract("\xef\xbb\xbfmarked", "a.txt").text, "marked");
}

TEST(Extractor, WhatTheProgramRefusesKeepsItsKind) {
  const Extractor extractor(STATELIB_EXTRACT);
  ExpectError(ErrorKind::kUnsupported, "a.png is a PNG image",
              [&] { extractor.Extract("\x89PNG\r\n\x1a\n", "a.png"); });
  ExpectError(ErrorKind::kCorrupt, "damaged PDF",
              [&] { extractor.Extract("%PDF-1.4\n", "a.pdf"); });
}

TEST(Extractor, AProgramThatBreaksCostsTheDocumentAlone) {
  const TemporaryDirectory folder;
  ExpectError(ErrorKind::kCorrupt, "broke on it",
              [&] { Extractor(Program(folder, "kill -SEGV $$\n")).Extract("\xe9", "a.txt"); });
  ExpectError(ErrorKind::kInvalidArgument, "processor time",
              [&] { Extractor(Program(folder, "kill -XCPU $$\n")).Extract("\xe9", "a.txt"); });
  ExpectError(ErrorKind::kCorrupt, "ended early",
              [&] { Extractor(Program(folder, "exit 3\n")).Extract("\xe9", "a.txt"); });
  ExpectError(ErrorKind::kUnsupported, "one version", [&] {
    Extractor(Program(folder, "echo something else\n")).Extract("\xe9", "a.txt");
  });
}

TEST(Extractor, CancellingStopsTheProgram) {
  const TemporaryDirectory folder;
  CancelFlag cancel;
  cancel.Cancel();
  ExpectError(ErrorKind::kCancelled, "", [&] {
    Extractor(Program(folder, "exec sleep 600\n")).Extract("\xe9", "a.txt", &cancel);
  });
}

TEST(Extractor, MemoryIsLimited) {
  const Extractor extractor(STATELIB_EXTRACT);
  // 300 MB of zeros in a few kilobytes.
  const std::string zeros(size_t{100} << 20, ' ');
  const std::string docx = ZipOf({{"word/document.xml", "<document>" + zeros + "</document>"},
                                  {"word/footnotes.xml", zeros},
                                  {"word/endnotes.xml", zeros}});
  ExpectError(ErrorKind::kInvalidArgument, "bomb.docx",
              [&] { extractor.Extract(docx, "bomb.docx"); });
}

}  // namespace
}  // namespace statelib::documents
