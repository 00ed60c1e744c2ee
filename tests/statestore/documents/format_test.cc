// SPDX-License-Identifier: Apache-2.0
#include "statestore/documents/format.h"

#include <gtest/gtest.h>

namespace statelib::documents {
namespace {

using std::string_literals::operator""s;

TEST(Format, ContentDecidesAndNotTheName) {
  EXPECT_EQ(Recognise("%PDF-1.7\n", "notes.txt"), Format::kPdf);
  EXPECT_EQ(Recognise("PK\x03\x04rest", "notes.md"), Format::kZip);
  EXPECT_EQ(Recognise("\x89PNG\r\n\x1a\n", "page.html"), Format::kBinary);
  EXPECT_EQ(Recognise("<!DOCTYPE html><p>", "notes.txt"), Format::kHtml);
  EXPECT_EQ(Recognise("\xef\xbb\xbf <?xml version='1.0'?><!-- x --><HTML>", ""), Format::kHtml);
  EXPECT_EQ(Recognise("\xff\xfe<\0h\0t\0m\0l\0>\0"s, ""), Format::kHtml);
  EXPECT_EQ(Recognise("plain words", "report.pdf"), Format::kText);
}

TEST(Format, MarkdownThatBeginsWithMarkupIsText) {
  EXPECT_EQ(Recognise("<div align=center>\n\n# Title", "README.md"), Format::kText);
  EXPECT_EQ(Recognise("<div>page</div>", "page.html"), Format::kHtml);
  EXPECT_EQ(Recognise("<htmlish>", "a"), Format::kText);
  EXPECT_EQ(Recognise("A file begins with %PDF- in that format", "a"), Format::kText);
}

TEST(Format, Utf8WithADamagedByteIsUtf8AndLatin1IsNot) {
  EXPECT_TRUE(CountUtf8("plain").is_utf8());
  EXPECT_TRUE(CountUtf8("caf\xc3\xa9 na\xc3\xafve \xff").is_utf8());
  EXPECT_EQ(CountUtf8("caf\xc3\xa9 na\xc3\xafve \xff").invalid_bytes, 1u);
  EXPECT_FALSE(CountUtf8("caf\xe9").is_utf8());
  EXPECT_FALSE(CountUtf8("a\0b"s).is_utf8());
}

}  // namespace
}  // namespace statelib::documents
