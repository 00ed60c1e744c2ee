// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <map>

#include "tests/cli/library_fixture.h"

namespace statelib::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Documents : public LibraryTest {
 protected:
  static std::vector<std::string> Sources(const nlohmann::json& facts) {
    std::vector<std::string> names;
    for (const auto& source : facts["sources"]) names.push_back(source["name"]);
    return names;
  }
};

TEST_F(Documents, AFolderIsReadInOrderWithoutWhatIsNoText) {
  Write("docs/b.md", "Second.\n");
  Write("docs/a/x.html", "<!doctype html><nav>Menu</nav><p>First &amp; foremost.</p>");
  Write("docs/c.png", "\x89PNG\r\n\x1a\n");
  Write("docs/.hidden.md", "Hidden.\n");
  Write("docs/ignored.log", "Ignored.\n");
  Write("docs/.gitignore", "*.log\n");
  const std::string folder = Path("docs");
  const ProcessResult result = Run({"ingest", "docs", folder, "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto facts = nlohmann::json::parse(result.out);
  EXPECT_THAT(Sources(facts), ElementsAre(folder + "/a/x.html", folder + "/b.md"));
  EXPECT_THAT(facts["notes"].dump(), HasSubstr("skipped: " + folder + "/c.png is a PNG image"));
  const auto found = Facts({"search", "foremost"});
  EXPECT_THAT(found["passages"][0]["snippet"].get<std::string>(), "First & foremost.\n");
  EXPECT_THAT(Facts({"search", "menu"})["passages"].size(), 0u);
}

TEST_F(Documents, WhatOfAFolderCannotBeReadIsLeftOutAndTheExitCodeTells) {
  Write("docs/a.md", "First.\n");
  Write("docs/b.docx", "PK\x03\x04 cut short");
  std::filesystem::create_directory_symlink(".", Path("docs/round"));
  const ProcessResult result = Run({"ingest", "docs", Path("docs"), "--json"});
  EXPECT_EQ(result.exit_code, 9) << result.err;
  const auto facts = nlohmann::json::parse(result.out);
  EXPECT_THAT(Sources(facts), ElementsAre(Path("docs/a.md")));
  ASSERT_EQ(facts["unread"].size(), 2u);
  EXPECT_EQ(facts["unread"][0]["name"], Path("docs/round"));
  EXPECT_EQ(facts["unread"][1]["name"], Path("docs/b.docx"));
  EXPECT_THAT(facts["notes"].dump(),
              HasSubstr("left out: " + Path("docs/round") + ": a link that leads back"));
  EXPECT_THAT(facts["notes"].dump(), HasSubstr("left out: " + Path("docs/b.docx")));
  EXPECT_EQ(Run({"append", "docs", Path("docs")}).exit_code, 9);
  EXPECT_THAT(Run({"--help"}).out, HasSubstr("9    partial"));
  Write("statelib.toml", "[[state]]\nname = 'built'\nfiles = ['docs']\n");
  const ProcessResult built = Run({"build", Path("statelib.toml"), "--json"});
  EXPECT_EQ(built.exit_code, 9) << built.err;
  const auto outcome = nlohmann::json::parse(built.out);
  EXPECT_EQ(outcome["unread"].size(), 1u);
  EXPECT_EQ(outcome["states"][0]["unread"].size(), 1u);
  // Without another document it is an error, and so is one that was named.
  std::filesystem::remove(Path("docs/a.md"));
  ExpectFailure({"ingest", "x", Path("docs/b.docx")}, 4);
  EXPECT_EQ(Run({"ingest", "x", Path("docs")}).exit_code, 4);
}

TEST_F(Documents, OneFileIsNamedWholeWhateverAFolderLeavesOut) {
  Write("docs/.gitignore", "*\n");
  const std::string file = Write("docs/.secret.md", "Named all the same.\n");
  EXPECT_THAT(Sources(Facts({"ingest", "x", file})), ElementsAre(file));
  EXPECT_THAT(ExpectFailure({"ingest", "x", Write("a.png", "\x89PNG\r\n\x1a\n")}, 8),
              HasSubstr("a PNG image"));
}

TEST_F(Documents, ManyLongOnesTakeFewFileDescriptors) {
  Arguments arguments = {"ingest", "x"};
  for (int i = 0; i < 40; ++i)
    arguments.push_back(Write(std::to_string(i) + ".txt", std::string(70'000, 'a')));
  // All are read before the first token is computed, so that the last one's error comes soon.
  arguments.push_back(Write("last.png", "\x89PNG\r\n\x1a\n"));
  ProcessOptions few_files;
  few_files.before_start = [] {
    const rlimit limit{30, 30};
    ::setrlimit(RLIMIT_NOFILE, &limit);
  };
  EXPECT_THAT(ExpectFailure(arguments, 8, few_files), HasSubstr("last.png is a PNG image"));
}

TEST_F(Documents, TheSameTextInAnotherEncodingIsTheSameState) {
  const auto utf8 = Facts({"ingest", "a", Write("a.txt", "Die Straße über die Brücke führt.\n")});
  const std::string latin = Write("b.txt",
                                  "Die Stra\xdf"
                                  "e \xfc"
                                  "ber die Br\xfc"
                                  "cke f\xfchrt.\n");
  const auto facts = Facts({"ingest", "b", latin});
  EXPECT_THAT(facts["notes"].dump(), HasSubstr("read as"));
  EXPECT_EQ(facts["state"]["id"], utf8["state"]["id"]);
}

TEST_F(Documents, AGuessedUtf16IsSaidOnStandardErrorOrInJson) {
  const std::string text = "The roof was mended in May.\n";
  const auto wide = [&](bool big_endian) {
    std::string bytes;
    for (const char c : text) bytes += big_endian ? std::string{'\0', c} : std::string{c, '\0'};
    return bytes;
  };
  const std::string same = Facts({"ingest", "a", Write("a.txt", text)})["state"]["id"];
  for (const bool big_endian : {false, true}) {
    const std::string path = Write("wide.txt", wide(big_endian));
    const std::string note =
        path + ": read as UTF-16" + (big_endian ? "BE" : "LE") + ", a guess by its bytes";
    EXPECT_EQ(Run({"ingest", "b", path}).err, "statelib: note: " + note + "\n");
    const auto facts = Facts({"ingest", "b", path});
    EXPECT_EQ(facts["state"]["id"], same);
    EXPECT_THAT(facts["notes"], ElementsAre(note));
    EXPECT_THAT(Facts({"ingest", "c", path, "--each"})["notes"], ElementsAre(note));
  }
  // A mark says it: nothing is guessed.
  const ProcessResult marked =
      Run({"ingest", "d", Write("m.txt", "\xff\xfe" + wide(false)), "--json"});
  EXPECT_EQ(marked.err, "");
  EXPECT_EQ(nlohmann::json::parse(marked.out)["notes"], nlohmann::json::array());
}

TEST_F(Documents, EachKeepsApartWhatDiffersAndLettersOfEveryScript) {
  Write("docs/a.md", "First.");
  Write("docs/a.txt", "Second.");
  Write("docs/отчёт за май.md", "Third.");
  EXPECT_EQ(Run({"ingest", "d", Path("docs"), "--each"}).exit_code, 0);
  EXPECT_THAT(Names(), ElementsAre("d/a.md:latest", "d/a.txt:latest", "d/отчёт-за-май:latest"));
  EXPECT_EQ(Run({"show", "d/отчёт-за-май"}).exit_code, 0);
}

TEST_F(Documents, SeparatorAndHeadingMakeTheTextOfOneFile) {
  Write("one.md", "First.");
  Write("two.md", "Second.");
  ProcessOptions here;
  here.working_directory = directory_.path().string();
  const auto several = Facts(
      {"ingest", "a", "one.md", "two.md", "--separator", "\\n--\\n", "--heading", "# {stem}\\n"},
      here);
  Write("whole.md", "# one\nFirst.\n--\n# two\nSecond.");
  const auto whole = Facts({"ingest", "b", "whole.md"}, here);
  EXPECT_EQ(several["state"]["tokens"], whole["state"]["tokens"]);
  EXPECT_EQ(several["sources"][0]["bytes"], 6);
  EXPECT_THAT(ExpectFailure({"ingest", "a", "one.md", "--heading", "{size}"}, 2, here),
              HasSubstr("{size}"));
}

TEST_F(Documents, EachFileBecomesAStateThatItsOwnIngestWouldMake) {
  Write("docs/one.md", "First.");
  Write("docs/sub/two words.md", "Second, and longer than the first.\n");
  Write("docs/p.png", "\x89PNG\r\n\x1a\n");
  const auto each = Facts({"ingest", "docs", Path("docs"), "--each"})["states"];
  std::map<std::string, std::string> ids, actions;
  for (const auto& state : each) {
    const std::string name = state["reference"]["name"];
    actions[name] = state["action"];
    if (state.contains("state")) ids[name] = state["state"]["id"];
  }
  EXPECT_THAT(actions,
              ElementsAre(testing::Pair("docs/one", "built"), testing::Pair("docs/p", "skipped"),
                          testing::Pair("docs/sub/two-words", "built")));
  EXPECT_EQ(Facts({"ingest", "alone", Path("docs/sub/two words.md"), "--no-reuse"})["state"]["id"],
            ids["docs/sub/two-words"]);
  Write("docs/one.md", "First. Edited.");
  const std::string again = Run({"ingest", "docs", Path("docs"), "--each"}).out;
  EXPECT_THAT(again, HasSubstr("docs/one@2: "));
  EXPECT_THAT(again, HasSubstr("docs/sub/two-words@1: unchanged"));
  EXPECT_THAT(again, HasSubstr("3 states: 1 rebuilt, 1 unchanged, 1 skipped; "));
}

TEST_F(Documents, EachSaysWhatItCannotDoBeforeItReadsAndKeepsWhatItCan) {
  const std::string a = Write("a.md", "A."), empty = Write("e.md", "");
  EXPECT_THAT(ExpectFailure({"ingest", "x", "--each", a, a}, 2),
              HasSubstr("this file is there twice"));
  EXPECT_THAT(ExpectFailure({"ingest", "x", "--each", "-"}, 2), HasSubstr("standard input"));
  EXPECT_EQ(Run({"list"}).out, "");
  const ProcessResult some = Run({"ingest", "x", "--each", a, empty, Path("none.md")});
  EXPECT_THAT(some.exit_code, testing::AnyOf(2, 3)) << some.err;
  EXPECT_THAT(some.out, HasSubstr("x/e: failed"));
  EXPECT_THAT(some.out, HasSubstr("x/none: failed"));
  EXPECT_THAT(some.err, HasSubstr("2 of 3 states"));
  EXPECT_THAT(Names(), ElementsAre("x/a:latest"));
}

TEST_F(Documents, StatusSaysHowTheDocumentsWerePutTogether) {
  const std::string one = Write("one.md", "First."), two = Write("two.md", "Second.");
  Facts({"ingest", "a", one, two, "--separator", "\\n--\\n", "--heading", "# it's {stem}\\n"});
  const auto facts = Facts({"status", "a"});
  EXPECT_EQ(facts["heading"], "# it's {stem}\n");
  EXPECT_EQ(facts["separator"], "\n--\n");
  Write("two.md", "Changed.");
  EXPECT_THAT(Run({"status", "a"}).out,
              HasSubstr("--separator '\\n--\\n' --heading '# it'\\''s {stem}\\n' to bring"));
}

TEST_F(Documents, SearchShowsNamesAndMarksMatches) {
  Facts({"ingest", "roof", Write("roof.md", "The budget for the roof is 5200 dollars.\n")});
  const ProcessResult result = Run({"search", "budget"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("roof@1"));
  EXPECT_THAT(result.out, HasSubstr("The [budget] for"));
  EXPECT_THAT(result.out, HasSubstr("byte 4"));
  const ProcessResult none = Run({"search", "nowhere"});
  EXPECT_EQ(none.exit_code, 0);
  EXPECT_EQ(none.out, "");
  EXPECT_THAT(none.err, HasSubstr("nothing found"));
  EXPECT_THAT(ExpectFailure({"search", "\"open"}, 2), HasSubstr("is no query"));
  EXPECT_THAT(Facts({"search", "budget", "--in", "gate*"})["passages"].size(), 0u);
}

}  // namespace
}  // namespace statelib::cli
