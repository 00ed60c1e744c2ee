// SPDX-License-Identifier: Apache-2.0
// DOCX and EPUB, which are ZIP archives of XML, and what such an archive can do to a reader.
#include <gtest/gtest.h>

#include "statestore/documents/formats/formats.h"
#include "statestore/documents/formats/zip_parts.h"
#include "tests/statestore/documents/zip_builder.h"
#include "tests/statestore/expect_error.h"

namespace statelib::documents {
namespace {

const std::string kContainer =
    "<?xml version='1.0'?><container xmlns='urn:oasis:names:tc:opendocument:xmlns:container'>"
    "<rootfiles><rootfile full-path='OPS/package.opf'/></rootfiles></container>";

std::string EpubOf(const std::string& manifest, const std::string& spine, ZipEntries chapters) {
  ZipEntries entries = {
      {"mimetype", "application/epub+zip"},
      {"META-INF/container.xml", kContainer},
      {"OPS/package.opf", "<package xmlns='http://www.idpf.org/2007/opf'><manifest>" + manifest +
                              "</manifest><spine>" + spine + "</spine></package>"}};
  entries.insert(entries.end(), chapters.begin(), chapters.end());
  return ZipOf(entries);
}

TEST(Docx, ParagraphsListsAndTables) {
  const std::string docx = DocxOf(
      "<w:p><w:r><w:t>One &amp; </w:t></w:r><w:r><w:t>two</w:t></w:r></w:p>"
      "<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>item</w:t></w:r></w:p>"
      "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc>"
      "<w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
      "<w:p><w:r><w:t>x</w:t><w:br/><w:t>y</w:t></w:r></w:p>");
  EXPECT_EQ(Extract(docx, "a").format, "docx");
  EXPECT_EQ(Extract(docx, "a").text, "One & two\n\n- item\n\na\tb\n\nx\ny\n");
}

TEST(Docx, DeletedTextAndFieldCodesAreLeftOut) {
  EXPECT_EQ(Extract(DocxOf("<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:r>"
                           "<w:instrText>PAGE</w:instrText><w:t>kept</w:t></w:r></w:p>"),
                    "a")
                .text,
            "kept\n");
}

TEST(Epub, ChaptersInTheOrderOfTheSpine) {
  const std::string epub = EpubOf(
      "<item id='b' href='text/two.xhtml'/><item id='a' href='text/one%20.xhtml'/>"
      "<item id='n' href='nav.xhtml'/>",
      "<itemref idref='a'/><itemref idref='b'/><itemref idref='n' linear='no'/>",
      {{"OPS/text/two.xhtml", "<html><body><p>Second.</p></body></html>"},
       {"OPS/text/one .xhtml",
        "<?xml version='1.0'?><html><head><title>t</title></head><body><h1>First</h1>"
        "</body></html>"},
       {"OPS/nav.xhtml", "<html><body>contents</body></html>"}});
  EXPECT_EQ(Extract(epub, "a").format, "epub");
  EXPECT_EQ(Extract(epub, "a").text, "First\n\nSecond.\n");
}

TEST(Epub, PathsOutOfTheArchiveLeadNowhere) {
  EXPECT_EQ(Extract(EpubOf("<item id='a' href='../../../../etc/passwd'/>", "<itemref idref='a'/>",
                           {{"../../../etc/passwd", "<html>stolen</html>"}}),
                    "a")
                .text,
            "");
}

TEST(Office, AnotherZipArchiveIsRefusedByName) {
  ExpectError(ErrorKind::kUnsupported, "neither DOCX nor EPUB", [&] {
    Extract(ZipOf({{"a.txt", "words"}}), "a.zip");
  });
}

TEST(Office, EntitiesThatWouldExpandAreRefused) {
  const std::string bomb =
      "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;'>]>";
  const std::string outside = "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>";
  for (const std::string& head : {bomb, outside}) {
    const std::string docx =
        ZipOf({{"word/document.xml", head + "<document><p><t>&a;</t></p></document>"}});
    ExpectError(ErrorKind::kCorrupt, "entities", [&] { Extract(docx, "a.docx"); });
  }
}

TEST(Office, ABombOfABillionBytesIsLimitedByWhatItUnpacksTo) {
  const std::string zeros(size_t{100} << 20, ' ');
  const std::string docx = ZipOf({{"word/document.xml", "<document>" + zeros + "</document>"},
                                  {"word/footnotes.xml", zeros},
                                  {"word/endnotes.xml", zeros}});
  EXPECT_LT(docx.size(), 1u << 20);
  ExpectError(ErrorKind::kInvalidArgument, "unpacks to more than",
              [&] { Extract(docx, "a.docx"); });
}

TEST(Office, DeepNestingIsRefused) {
  std::string body;
  for (int i = 0; i < 1000; ++i) body += "<w:p>";
  ExpectError(ErrorKind::kCorrupt, "", [&] { Extract(DocxOf(body), "a.docx"); });
}

TEST(Office, CutAtEveryPlaceIsAnErrorOrTheText) {
  const std::string docx = DocxOf("<w:p><w:r><w:t>words</w:t></w:r></w:p>");
  for (size_t size = 4; size < docx.size(); ++size) {
    try {
      EXPECT_EQ(Extract(docx.substr(0, size), "a.docx").text, "words\n") << size;
    } catch (const Error& error) {
      EXPECT_TRUE(error.kind() == ErrorKind::kCorrupt || error.kind() == ErrorKind::kUnsupported)
          << size << error.what();
    }
  }
}

TEST(Office, FlippedBytesNeverDoMore) {
  const std::string docx = DocxOf("<w:p><w:r><w:t>words</w:t></w:r></w:p>");
  for (size_t i = 0; i < docx.size(); ++i) {
    std::string bytes = docx;
    bytes[i] = static_cast<char>(bytes[i] ^ 0xff);
    try {
      Extract(bytes, "a.docx");
    } catch (const Error&) {
    }
  }
}

TEST(Xml, AnElementOfTooManyAttributesOrNamespacesIsRefused) {
  const auto many = [](size_t count, const std::string& name) {
    std::string text;
    for (size_t i = 0; i < count; ++i)
      text += " " + name + std::to_string(i) + "='urn:" + std::to_string(i) + "'";
    return text;
  };
  EXPECT_EQ(Extract(DocxOf("<w:p" + many(900, "a") + "><w:r><w:t>a</w:t></w:r></w:p>"), "a").text,
            "a\n");
  for (const std::string& attributes : {many(300'000, "a"), many(300'000, "xmlns:n")})
    ExpectError(ErrorKind::kInvalidArgument, "more than 1000 attributes",
                [&] { Extract(DocxOf("<w:p" + attributes + "/>"), "a"); });
  std::string nested;
  for (int i = 0; i < 20; ++i)
    nested += "<w:p" + many(100, "xmlns:n" + std::to_string(i) + "x") + ">";
  ExpectError(ErrorKind::kInvalidArgument, "more than 1000 namespaces at once",
              [&] { Extract(DocxOf(nested), "a"); });
}

TEST(Epub, TooManyChaptersAndTooLongPathsAreRefused) {
  std::string spine;
  for (int i = 0; i < 100'002; ++i) spine += "<itemref idref='a'/>";
  ExpectError(ErrorKind::kInvalidArgument, "its spine has more than 100000 chapters", [&] {
    Extract(EpubOf("<item id='a' href='a.xhtml'/>", spine, {{"OPS/a.xhtml", "<p>a"}}), "a");
  });
  const std::string href(5'000, 'a');
  ExpectError(ErrorKind::kCorrupt, "the path of a chapter has more than 4096 bytes", [&] {
    Extract(EpubOf("<item id='a' href='" + href + "'/>", "<itemref idref='a'/>", {}), "a");
  });
}

}  // namespace
}  // namespace statelib::documents
