// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/normalizer.h"

#include "core/tokenizer/normal_form.h"
#include "tests/core/tokenizer/small_tokenizer.h"

namespace statelib::tokenizer {
namespace {

std::string Apply(const std::string& json, std::string text) {
  const ParsedJson parsed(json);
  Normalizer::FromJson(parsed.root())->Apply(text);
  return text;
}

TEST(NormalForm, TextsTakeTheFormsOfTheStandard) {
  struct Case {
    std::string text, nfc, nfd, nfkc, nfkd;
  };
  // From Unicode Standard Annex #15, figures 3 to 6, and Hangul.
  const std::vector<Case> cases = {
      {"\u212B", "\u00C5", "A\u030A", "\u00C5", "A\u030A"},
      {"\u2126", "\u03A9", "\u03A9", "\u03A9", "\u03A9"},
      {"\u1E9B\u0323", "\u1E9B\u0323", "\u017F\u0323\u0307", "\u1E69", "s\u0323\u0307"},
      {"\uFB01", "\uFB01", "\uFB01", "fi", "fi"},
      {"2\u2075", "2\u2075", "2\u2075", "25", "25"},
      {"d\u0307\u0323", "\u1E0D\u0307", "d\u0323\u0307", "\u1E0D\u0307", "d\u0323\u0307"},
      {"\uAC00\u11A8", "\uAC01", "\u1100\u1161\u11A8", "\uAC01", "\u1100\u1161\u11A8"},
      {"\u0958", "\u0915\u093C", "\u0915\u093C", "\u0915\u093C", "\u0915\u093C"},
      {"ab e\u0301 cd", "ab \u00E9 cd", "ab e\u0301 cd", "ab \u00E9 cd", "ab e\u0301 cd"},
      {"\u00E9", "\u00E9", "e\u0301", "\u00E9", "e\u0301"},
      {"\u0301", "\u0301", "\u0301", "\u0301", "\u0301"},
      {"", "", "", "", ""},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Normalize(c.text, NormalForm::kNfc), c.nfc) << c.text;
    EXPECT_EQ(Normalize(c.text, NormalForm::kNfd), c.nfd) << c.text;
    EXPECT_EQ(Normalize(c.text, NormalForm::kNfkc), c.nfkc) << c.text;
    EXPECT_EQ(Normalize(c.text, NormalForm::kNfkd), c.nfkd) << c.text;
  }
}

// What PyPI's tokenizers 0.23.3 makes of them.
TEST(NormalForm, CharactersNewerThanThePublishedTablesStayWhereTheyStand) {
  constexpr NormalForm kForms[] = {NormalForm::kNfc, NormalForm::kNfd, NormalForm::kNfkc,
                                   NormalForm::kNfkd};
  const std::vector<std::string> kept = {
      "a\u0898\u0334",                // a mark of class 230 before one of class 1
      "a\u0345\u0EBA",                // of class 240 before one of class 9
      "a\U0001E4EC\U0001E4EE\u0316",  // two of them before one of class 220
      "\U00011935\U00011930",         // would compose
      "\U00011938",                   // would decompose
      "\u32FF",                       // has a compatibility mapping
      "\U0001E030\uAB69",
  };
  for (const std::string& text : kept)
    for (const NormalForm form : kForms) EXPECT_EQ(Normalize(text, form), text) << text;
}

TEST(NormalForm, ANewerCharacterStartsWhatComesBehindIt) {
  // Around the mark U+0898, marks are ordered and composed as on both sides of a letter.
  EXPECT_EQ(Normalize("a\u0898\u0301", NormalForm::kNfc), "a\u0898\u0301");
  EXPECT_EQ(Normalize("a\u0301\u0898e\u0301", NormalForm::kNfc), "\u00E1\u0898\u00E9");
  EXPECT_EQ(Normalize("a\u0345\u0334\u0898\u0301\u0316", NormalForm::kNfc),
            "a\u0334\u0345\u0898\u0316\u0301");
  EXPECT_EQ(Normalize("\u00E1\u0898\u0316", NormalForm::kNfd), "a\u0301\u0898\u0316");
}

TEST(NormalForm, OlderMarksAreOrderedAndComposedAsBefore) {
  EXPECT_EQ(Normalize("a\u08D4\u0334", NormalForm::kNfc), "a\u0334\u08D4");  // Unicode 9
  EXPECT_EQ(Normalize("\u0301a\u0301", NormalForm::kNfc), "\u0301\u00E1");
}

TEST(Normalizer, EachTypeDoesWhatItSays) {
  EXPECT_EQ(Apply(R"({"type":"NFC"})", "e\u0301"), "\u00e9");
  EXPECT_EQ(Apply(R"({"type":"Prepend","prepend":"_"})", "a"), "_a");
  EXPECT_EQ(Apply(R"({"type":"Prepend","prepend":"_"})", ""), "");
  EXPECT_EQ(Apply(R"({"type":"Strip","strip_left":true,"strip_right":true})", " \u3000a b\n"),
            "a b");
  EXPECT_EQ(Apply(R"({"type":"Strip","strip_left":false,"strip_right":true})", " a "), " a");
  EXPECT_EQ(Apply(R"({"type":"Strip","strip_left":true,"strip_right":false})", "  "), "");
  EXPECT_EQ(Apply(R"({"type":"Replace","pattern":{"String":" "},"content":"__"})", " a b"),
            "__a__b");
  EXPECT_EQ(Apply(R"({"type":"Replace","pattern":{"String":"."},"content":""})", "a.b"), "ab");
  EXPECT_EQ(Apply(R"({"type":"Replace","pattern":{"Regex":"\\s+"},"content":" "})", "a \n b"),
            "a b");
}

TEST(Normalizer, ASequenceAppliesItsPartsInOrder) {
  const std::string json = R"({"type":"Sequence","normalizers":[{"type":"Prepend","prepend":" "},)"
                           R"({"type":"Replace","pattern":{"String":" "},"content":"_"}]})";
  EXPECT_EQ(Apply(json, "a b"), "_a_b");
  EXPECT_EQ(Apply(R"({"type":"Sequence","normalizers":[]})", "a b"), "a b");
}

TEST(Normalizer, NoneChangesNothing) {
  std::string text = "e\u0301 ";
  Normalizer::FromJson(std::nullopt)->Apply(text);
  EXPECT_EQ(text, "e\u0301 ");
}

TEST(Normalizer, OtherTypesAreRefusedByName) {
  EXPECT_EQ(
      ErrorOf([] { Apply(R"({"type":"Lowercase"})", ""); }),
      "unsupported: tokenizer.json: unsupported type \"Lowercase\"; supported: NFC, NFD, NFKC, "
      "NFKD, Prepend, Replace, Sequence, Strip");
}

// Each replacement makes a text a thousand times as long; five would need a petabyte.
TEST(Normalizer, ReplacementsThatMultiplyATextAreStopped) {
  const std::string part = fmt::format(
      R"({{"type":"Replace","pattern":{{"String":"a"}},"content":"{}"}})", std::string(1000, 'a'));
  const std::string json =
      fmt::format(R"({{"type":"Sequence","normalizers":[{0},{0},{0},{0},{0}]}})", part);
  EXPECT_EQ(ErrorOf([&] { Apply(json, "aa"); }),
            "unsupported: replacing \"a\" makes a text of more than 67108864 bytes");
}

}  // namespace
}  // namespace statelib::tokenizer
