// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/search.h"

#include <gmock/gmock.h>

#include "statestore/library/organise.h"
#include "statestore/storage/maintenance.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/library/demo_library.h"

namespace statelib::library {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class Searching : public DemoLibrary {
 protected:
  std::vector<SearchResult> Find(const std::string& query, SearchOptions options = {}) {
    return Search(library_, query, options);
  }
  /// "name@version" of every holder of every passage.
  std::vector<std::string> Names(const std::string& query, const SearchOptions& options = {}) {
    std::vector<std::string> names;
    for (const SearchResult& result : Find(query, options))
      for (const storage::TextHolder& holder : result.holders)
        names.push_back(storage::Reference{holder.name, holder.tag, holder.version}.Text());
    return names;
  }
  void Gc() { storage::CollectGarbage(library_.repository(), {}); }
  uint64_t Texts() { return library_.repository().index().texts().count(); }
};

TEST_F(Searching, WordsPhrasesAndBeginningsFindPassages) {
  IngestText("roof", "The budget for the roof is 5200 dollars.\n");
  IngestText("gate", "The gate of the map room is painted silver. Café Zoë pays.\n");
  EXPECT_THAT(Names("budget"), ElementsAre("roof@1"));
  EXPECT_THAT(Names("the silver"), ElementsAre("gate@1"));
  EXPECT_THAT(Names("\"map room\""), ElementsAre("gate@1"));
  EXPECT_THAT(Names("\"room map\""), IsEmpty());
  EXPECT_THAT(Names("dol*"), ElementsAre("roof@1"));
  EXPECT_THAT(Names("cafe ZOE"), ElementsAre("gate@1")) << "case and accents";
  EXPECT_THAT(Names("roof OR silver"), UnorderedElementsAre("roof@1", "gate@1"));
  EXPECT_THAT(Names("the NOT roof"), ElementsAre("gate@1"));
  EXPECT_THAT(Names("the (roof OR nothing) budget"), ElementsAre("roof@1"));
  EXPECT_THAT(Names("5200-dollars"), ElementsAre("roof@1"));
}

TEST_F(Searching, ABetterMatchComesFirst) {
  IngestText("once", "A long text about many things, and the index once, and much else besides.\n");
  IngestText("often", "index index index\n");
  EXPECT_THAT(Names("index"), ElementsAre("often@1", "once@1"));
  SearchOptions one;
  one.limit = 1;
  EXPECT_THAT(Names("index", one), ElementsAre("often@1"));
}

TEST_F(Searching, ASnippetSaysWhereTheMatchStands) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += "Line " + std::to_string(i) + " of a long text.\n";
  const size_t place = text.size();
  text += "Here is the needle.\n";
  for (int i = 0; i < 100; ++i) text += "More lines.\n";
  IngestText("hay", text);
  const auto results = Find("needle");
  ASSERT_EQ(results.size(), 1u);
  const SearchResult& result = results[0];
  EXPECT_EQ(result.byte, place + 12);
  EXPECT_LE(result.snippet.size(), 300u);
  ASSERT_EQ(result.matches.size(), 1u);
  const auto [from, to] = result.matches[0];
  EXPECT_EQ(result.snippet.substr(from, to - from), "needle");
  // The tokens before the passage are exactly the text before it.
  const auto tokens = TokensOf(library_, library_.Resolve("hay").state.id)->Values();
  const uint64_t first = result.holders[0].first_token;
  const std::string before = model_.runtime->tokenizer().Decode(std::span(tokens).first(first));
  EXPECT_TRUE(text.starts_with(before));
  EXPECT_LE(before.size(), result.byte);
  EXPECT_GT(before.size() + 2000, result.byte);
}

TEST_F(Searching, WhatGoesOnFromAStateHasReadItsText) {
  IngestText("a", "The budget is small. ");
  AppendText("a", "The roof is new. ");
  EXPECT_THAT(Names("budget"), ElementsAre("a@2"));
  SearchOptions all;
  all.states.all_versions = true;
  EXPECT_THAT(Names("budget", all), ElementsAre("a@2", "a@1"));
  EXPECT_THAT(Names("roof", all), ElementsAre("a@2"));
  EXPECT_EQ(Find("roof")[0].holders[0].first_token,
            library_.Resolve("a@1").state.history.token_count());
  Copy(library_, "a@1", storage::Reference::Parse("copy"));
  EXPECT_THAT(Names("budget"), ElementsAre("a@2", "copy@1"));
}

TEST_F(Searching, ATextThatAVersionLeftIsFoundInThatVersionAlone) {
  IngestText("a", "The first draft. ");
  IngestText("a", "The second draft. ");
  EXPECT_THAT(Names("first"), IsEmpty());
  SearchOptions all;
  all.states.all_versions = true;
  EXPECT_THAT(Names("first", all), ElementsAre("a@1"));
}

TEST_F(Searching, NamesAreFiltered) {
  IngestText("minutes/april", "The budget of April.\n");
  IngestText("minutes/may:draft", "The budget of May.\n");
  IngestText("other", "The budget of others.\n");
  SearchOptions options;
  options.states.name_pattern = "minutes/*";
  EXPECT_THAT(Names("budget", options),
              UnorderedElementsAre("minutes/april@1", "minutes/may:draft@1"));
  options.states.tag = "draft";
  EXPECT_THAT(Names("budget", options), ElementsAre("minutes/may:draft@1"));
}

TEST_F(Searching, ATextIsStoredOnceAndGoesWithTheLastThatNeedsIt) {
  IngestText("a", "The same text. ");
  IngestText("b", "The same text. ");
  AppendText("b", "And more. ");
  EXPECT_EQ(Texts(), 2u);
  Remove(library_, {storage::Reference::Parse("a")}, false);
  Gc();
  EXPECT_EQ(Texts(), 2u);
  EXPECT_THAT(Names("same"), ElementsAre("b@2"));
  Remove(library_, {storage::Reference::Parse("b")}, false);
  Gc();
  EXPECT_EQ(Texts(), 0u);
  EXPECT_THAT(Names("same"), IsEmpty());
}

TEST_F(Searching, ForgottenTokensAreForgottenTexts) {
  IngestOptions forget;
  forget.keep_tokens = false;
  IngestText("secret", "The password is swordfish. ", forget);
  EXPECT_EQ(Texts(), 0u);
  EXPECT_THAT(Names("swordfish"), IsEmpty());
}

TEST_F(Searching, AQueryThatMakesNoSenseIsOneLine) {
  for (const char* query : {"", "  ", "\"open", "( a", "a )", "()", "a AND", "OR a", "NOT a",
                            "a OR OR b", "a AND (OR b)"})
    ExpectError(ErrorKind::kInvalidArgument, "is no query", [&] { Find(query); });
  std::string many;
  for (int i = 0; i < 100; ++i) many += "word ";
  ExpectError(ErrorKind::kInvalidArgument, "too many", [&] { Find(many); });
  ExpectError(ErrorKind::kInvalidArgument, "deep",
              [&] { Find(std::string(20, '(') + "a" + std::string(20, ')')); });
  // What is not an operator is a word, whatever FTS5 would make of it.
  for (const char* query : {"don't", "a:b", "-a", "^a", "NEAR(a b)", "{a}", "a+b", "*", "\"\"",
                            "and", "body:x", "a;DROP TABLE texts", "\xff", "%_"})
    EXPECT_NO_THROW(Find(query)) << query;
}

TEST(Passages, AreTheWholeTextWithoutAGap) {
  std::string text;
  for (int i = 0; i < 4000; ++i) text += i % 97 == 0 ? "\n\n" : i % 11 == 0 ? " " : "ä";
  text += std::string(5000, 'x');
  std::string joined;
  Spool<char> spool;  // longer than what it holds in memory
  while (spool.size() < 3 * ByteSpool::kMemoryBytesMax) spool.Append(text);
  std::string whole;
  while (whole.size() < spool.size()) whole += text;
  storage::ForEachPassage(spool.All(), [&](const storage::Passage& passage) {
    EXPECT_EQ(passage.first_byte, joined.size());
    EXPECT_LE(passage.text.size(), 1800u);
    EXPECT_NE(static_cast<unsigned char>(passage.text[0]) & 0xc0, 0x80);
    joined += passage.text;
  });
  EXPECT_EQ(joined, whole);
  storage::ForEachPassage({}, [](const storage::Passage&) { FAIL() << "a passage of nothing"; });
}

}  // namespace
}  // namespace statelib::library
