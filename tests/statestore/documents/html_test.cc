// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "statestore/documents/formats/formats.h"
#include "tests/statestore/expect_error.h"

namespace statelib::documents {
namespace {

std::string TextOf(const std::string& page) { return ReadHtml(page, "a.html").text; }

TEST(Html, ReadableTextOnly) {
  EXPECT_EQ(TextOf("<!doctype html><html><head><title>T</title><style>p{}</style></head><body>"
                   "<nav><ul><li>Home</li></ul></nav><script>var x = '<p>no</p>';</script>"
                   "<h1>One &amp; two</h1><p>First\n  <b>bold</b> words.<p>Second<br>line."
                   "<template>no</template><p hidden>no</p><div aria-hidden=true>no</div>"
                   "<!-- no --><noscript>no</noscript></body></html>"),
            "One & two\n\nFirst bold words.\n\nSecond\nline.\n");
}

TEST(Html, EntitiesAreDecoded) {
  EXPECT_EQ(TextOf("<html><p>&lt;a&gt; &eacute; &#233; &#x20AC; &nosuch; &copy;"),
            "<a> é é € &nosuch; ©\n");
}

TEST(Html, ListsTablesAndListings) {
  EXPECT_EQ(TextOf("<html><ul><li>a<li>b</ul><table><tr><th>x<th>y<tr><td>1<td>2</table>"
                   "<pre>int  a;\n  b;\n</pre>after"),
            "- a\n- b\n\nx\ty\n1\t2\n\nint  a;\n  b;\n\nafter\n");
}

TEST(Html, EncodingsAreDeclaredOrGuessed) {
  EXPECT_EQ(TextOf("<html><meta charset=koi8-r><p>\xe1\xe2"), "АБ\n");
  EXPECT_EQ(TextOf("<html><meta charset=\"iso-8859-1\"><p>5 \x80"), "5 €\n");
  EXPECT_EQ(TextOf("<html><p>d\xc3\xa9j\xc3\xa0"), "déjà\n");
}

TEST(Html, BrokenMarkupIsStillRead) {
  EXPECT_EQ(TextOf("<html><p>a</b></i></p></div><div>b<span>c"), "a\n\nbc\n");
  EXPECT_EQ(TextOf("<html>"), "");
  EXPECT_EQ(TextOf("<html><p>a < b and c"), "a < b and c\n");
}

TEST(Html, NothingOutsideIsLoadedAndNoEntityExpands) {
  EXPECT_EQ(TextOf("<!DOCTYPE html SYSTEM \"file:///etc/passwd\" [<!ENTITY x SYSTEM "
                   "\"file:///etc/passwd\">]><html><p>a&x;b"),
            TextOf("<html>]&gt;<p>a&x;b"));
}

TEST(Html, DeepNestingIsNoMatter) {
  std::string page = "<html>";
  for (int i = 0; i < 20'000; ++i) page += i % 2 == 0 ? "<div>" : "<span>";
  EXPECT_EQ(TextOf(page + "deep"), "deep\n");
}

std::string Attributes(size_t count, const std::string& value = "") {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += " a" + std::to_string(i) + value;
  return text;
}

TEST(Html, AnElementOfTooManyAttributesIsRefusedHoweverTheyAreWritten) {
  EXPECT_EQ(TextOf("<html><p" + Attributes(1000, "='x y'") + ">a"), "a\n");
  for (const std::string& tag :
       {"p" + Attributes(300'000), "p" + Attributes(300'000, "=\"x > y\""),
        "p" + Attributes(300'000, " = x"), "p @=\"" + Attributes(300'000) + "\"",
        "p/b=\"" + Attributes(300'000) + "\"", "p b@c='" + Attributes(300'000) + "'",
        "p b=''\"" + Attributes(300'000), "p " + std::string(60'000'00, 'b')})
    ExpectError(ErrorKind::kInvalidArgument, "a.html: an element with more than 1000 attributes",
                [&] { TextOf("<html><p>a<" + tag + ">b"); });
}

TEST(Html, LongValuesAndScriptsAreNoAttributes) {
  const std::string words = Attributes(50'000);
  EXPECT_EQ(TextOf("<html><p title=\"" + words + "\" alt = '" + words + "'>a"), "a\n");
  EXPECT_EQ(TextOf("<html><script>if (a <b " + words + "</script><!-- <b " + words + "--><p>a"),
            "a\n");
  EXPECT_EQ(TextOf("<html><style><b " + words + "</style><p>a"), "a\n");
}

TEST(Html, TooManyDifferentNamesAreRefused) {
  std::string page = "<html>";
  for (int i = 0; i < 110'000; ++i) page += "<body a" + std::to_string(i) + ">";
  ExpectError(ErrorKind::kInvalidArgument, "a.html: more than 100000 different names",
              [&] { TextOf(page); });
}

TEST(Html, TooManyTagsTooDeepAreRefused) {
  std::string page = "<html><body>";
  for (int i = 0; i < 100'000; ++i) page += "<div>";
  for (int i = 0; i < 100'000; ++i) page += "</p>";
  ExpectError(ErrorKind::kInvalidArgument, "a.html: too many tags", [&] { TextOf(page); });
}

}  // namespace
}  // namespace statelib::documents
