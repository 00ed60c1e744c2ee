// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

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
  EXPECT_THAT(Sources(nlohmann::json::parse(result.out)),
              ElementsAre(folder + "/a/x.html", folder + "/b.md"));
  EXPECT_THAT(result.err, HasSubstr("skipped: " + folder + "/c.png is a PNG image"));
  const auto found = Facts({"search", "foremost"});
  EXPECT_THAT(found["passages"][0]["snippet"].get<std::string>(), "First & foremost.\n");
  EXPECT_THAT(Facts({"search", "menu"})["passages"].size(), 0u);
}

TEST_F(Documents, OneFileIsNamedWholeWhateverAFolderLeavesOut) {
  Write("docs/.gitignore", "*\n");
  const std::string file = Write("docs/.secret.md", "Named all the same.\n");
  EXPECT_THAT(Sources(Facts({"ingest", "x", file})), ElementsAre(file));
  EXPECT_THAT(ExpectFailure({"ingest", "x", Write("a.png", "\x89PNG\r\n\x1a\n")}, 8),
              HasSubstr("a PNG image"));
}

TEST_F(Documents, TheSameTextInAnotherEncodingIsTheSameState) {
  const auto utf8 = Facts({"ingest", "a", Write("a.txt", "Die Straße über die Brücke führt.\n")});
  const std::string latin = Write("b.txt",
                                  "Die Stra\xdf"
                                  "e \xfc"
                                  "ber die Br\xfc"
                                  "cke f\xfchrt.\n");
  const ProcessResult result = Run({"ingest", "b", latin, "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("read as"));
  EXPECT_EQ(nlohmann::json::parse(result.out)["state"]["id"], utf8["state"]["id"]);
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
