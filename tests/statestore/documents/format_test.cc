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

TEST(Format, BytesAreCountedTheSameWhereverTheyAreCut) {
  const std::string text = "a\xc3\xa9\xf0\x9f\x98\x80\xff\xe4\xbd z\xf0\x9f\x98"s + "\0\xc3"s;
  const Utf8Count whole = CountUtf8(text);
  EXPECT_EQ(whole.long_characters, 2u);
  EXPECT_EQ(whole.invalid_bytes, 7u);
  for (size_t first = 0; first <= text.size(); ++first) {
    for (size_t second = first; second <= text.size(); ++second) {
      Utf8Counter counter;
      counter.Add(std::string_view(text).substr(0, first));
      counter.Add(std::string_view(text).substr(first, second - first));
      counter.Add(std::string_view(text).substr(second));
      const Utf8Count parts = counter.Finish();
      EXPECT_EQ(parts.invalid_bytes, whole.invalid_bytes) << first << " " << second;
      EXPECT_EQ(parts.invalid_sequences, whole.invalid_sequences) << first << " " << second;
      EXPECT_EQ(parts.long_characters, whole.long_characters) << first << " " << second;
      EXPECT_TRUE(parts.has_nul);
    }
  }
}

TEST(Format, PlainUtf8IsTextWithoutAMark) {
  EXPECT_TRUE(CountPlainUtf8("caf\xc3\xa9"s, "a.txt"));
  EXPECT_TRUE(CountPlainUtf8(""s, "a.txt"));
  EXPECT_FALSE(CountPlainUtf8("\xef\xbb\xbfmarked"s, "a.txt"));
  EXPECT_FALSE(CountPlainUtf8("<html>"s, "a"));
  EXPECT_FALSE(CountPlainUtf8(std::string(300'000, 'a') + "\xe9", "a.txt"));
}

}  // namespace
}  // namespace statelib::documents
