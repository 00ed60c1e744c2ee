// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <map>

#include "tests/cli/library_fixture.h"

namespace statelib::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class Build : public LibraryTest {
 protected:
  void SetUp() override {
    Write("docs/a.md", "The first chapter.\n");
    Write("docs/b.md", "The second chapter.\n");
    Write("notes/n.md", "A note.\n");
    Write("notes/n.log", "Not a note.\n");
    manifest_ = Write("statelib.toml",
                      "[[state]]\nname = \"book\"\nfiles = [\"docs\"]\nheading = \"# "
                      "{path}\\n\"\ntags = [\"stable\"]\n"
                      "[[state]]\nname = \"notes\"\nfiles = \"notes/*.md\"\neach = true\n");
  }
  std::map<std::string, std::string> Actions(const std::vector<std::string>& more = {}) {
    Arguments arguments = {"build", manifest_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    std::map<std::string, std::string> actions;
    const auto facts = Facts(arguments);
    for (const auto& state : facts["states"]) actions[state["reference"]["name"]] = state["action"];
    return actions;
  }
  std::string manifest_;
};

TEST_F(Build, MakesWhatTheManifestSaysAndThenOnlyWhatHasChanged) {
  EXPECT_THAT(Actions({"--dry-run"}), ElementsAre(Pair("book", "built"), Pair("notes/n", "built")));
  EXPECT_EQ(Run({"list"}).out, "");
  EXPECT_THAT(Actions(), ElementsAre(Pair("book", "built"), Pair("notes/n", "built")));
  EXPECT_THAT(Names(), ElementsAre("book:latest", "book:stable", "notes/n:latest"));
  EXPECT_THAT(Actions(), ElementsAre(Pair("book", "unchanged"), Pair("notes/n", "unchanged")));
  EXPECT_EQ(Facts({"log", "book"})["versions"].size(), 1u);

  Write("docs/b.md", "The second chapter, longer.\n");
  EXPECT_THAT(Actions({"--dry-run"}),
              ElementsAre(Pair("book", "rebuilt"), Pair("notes/n", "unchanged")));
  EXPECT_THAT(Run({"build", manifest_}).out,
              testing::ContainsRegex("book@2: reused [0-9]+ of [0-9]+ tokens, "));
  EXPECT_EQ(Facts({"show", "book:stable"})["id"], Facts({"show", "book"})["id"]);
  ProcessOptions here;
  here.working_directory = directory_.path().string();
  EXPECT_EQ(Facts({"ingest", "single", "docs", "--heading", "# {path}\\n"}, here)["state"]["id"],
            Facts({"show", "book"})["id"]);
}

TEST_F(Build, ADocumentThatTwoStatesBeginWithIsReadOnce) {
  Write("statelib.toml",
        "[[state]]\nname = \"one\"\nfiles = [\"docs/a.md\"]\n"
        "[[state]]\nname = \"two\"\nfiles = [\"docs/a.md\", \"docs/b.md\"]\n");
  const auto facts = Facts({"build", manifest_});
  uint64_t read = 0;
  for (const auto& state : facts["states"]) read += state["tokens_read"].get<uint64_t>();
  EXPECT_EQ(read, Facts({"show", "two"})["tokens"]);
}

TEST_F(Build, PathsMayBeAbsoluteAndADashIsAFile) {
  Write("-", "A file of this name.\n");
  const std::string folder = directory_.path().string();
  Write("statelib.toml", "[[state]]\nname = \"file\"\nfiles = \"" + folder +
                             "/docs/a.md\"\n[[state]]\nname = \"folder\"\nfiles = \"" + folder +
                             "/docs\"\n[[state]]\nname = \"pattern\"\nfiles = \"" + folder +
                             "/notes/*.md\"\n[[state]]\nname = \"dash\"\nfiles = \"-\"\n");
  EXPECT_THAT(Actions(), ElementsAre(Pair("dash", "built"), Pair("file", "built"),
                                     Pair("folder", "built"), Pair("pattern", "built")));
  EXPECT_EQ(Facts({"log", "file"})["versions"][0]["sources"][0]["name"], folder + "/docs/a.md");
}

TEST_F(Build, AModelThatIsGoneIsMissedOnlyByWhatHasChanged) {
  namespace fs = std::filesystem;
  const std::string model = Path("model");
  fs::copy(fs::path(STATELIB_SOURCE_DIR) / "examples" / "models" / "demo", model);
  // Another model than the program's own, which would be found wherever it is.
  std::string config = Read(model + "/config.json");
  config.replace(config.find("1e-05"), 5, "2e-05");
  Write("model/config.json", config);
  Facts({"model", "add", model, "--name", "mine"});
  Facts({"model", "default", "mine"});
  Actions();
  fs::rename(model, Path("away"));
  // Without a change the model is not opened.
  for (const Arguments& more : {Arguments{}, Arguments{"--dry-run"}})
    EXPECT_THAT(Actions(more),
                ElementsAre(Pair("book", "unchanged"), Pair("notes/n", "unchanged")));
  EXPECT_EQ(Facts({"ingest", "notes", Path("notes"), "--include", "*.md",
                   "--each"})["states"][0]["action"],
            "unchanged");
  Write("docs/b.md", "The second chapter, longer.\n");
  const ProcessResult result = Run({"build", manifest_});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, HasSubstr("model, mine"));
  EXPECT_THAT(result.err, HasSubstr("is no longer in"));
  fs::rename(Path("away"), model);
  EXPECT_THAT(Actions(), ElementsAre(Pair("book", "rebuilt"), Pair("notes/n", "unchanged")));
}

TEST_F(Build, AnotherHeadingOrCodecIsAChange) {
  Actions();
  const std::string text = Read(manifest_);
  Write("statelib.toml", "[defaults]\ncodec = \"int8\"\n" + text);
  EXPECT_THAT(Actions(), ElementsAre(Pair("book", "rebuilt"), Pair("notes/n", "rebuilt")));
  EXPECT_THAT(Actions(), ElementsAre(Pair("book", "unchanged"), Pair("notes/n", "unchanged")));
}

TEST_F(Build, WhatIsWrongIsSaidWithFileAndLine) {
  const auto expect = [&](const std::string& text, int exit_code, const std::string& message) {
    EXPECT_THAT(ExpectFailure({"build", Write("bad.toml", text)}, exit_code), HasSubstr(message));
  };
  const std::string state = "[[state]]\nname = \"a\"\nfiles = \"docs\"\n";
  expect("x = [", 2, "bad.toml:1: ");
  expect(state + "headin = \"x\"\n", 2, "bad.toml:4: unknown key 'headin'; did you mean heading?");
  expect(state + "each = 1\n", 2, "bad.toml:4: each: expected true or false, found a whole number");
  expect(state + "heading = \"{size}\"\n", 2, "bad.toml:4: heading: ");
  expect(state + "codec = \"int4\"\n", 2, "bad.toml:4: codec: expected exact");
  expect(state + state, 2, "a is described at");
  expect("[[state]]\nfiles = \"docs\"\n", 2, "bad.toml:1: a state without a name");
  expect("[[state]]\nname = \"a\"\n", 2, "has no files");
  expect("[[state]]\nname = \"a\"\nfiles = \"none\"\n", 3, "bad.toml:1: none: no such file");
  expect("[defaults]\nname = \"a\"\n", 2, "bad.toml:2: 'name' belongs to a state");
  expect("stat = 1\n", 2, "bad.toml:1: expected [[state]]");
  expect("", 2, "no state in it");
  EXPECT_EQ(Run({"list"}).out, "");
}

TEST_F(Build, JsonLinesMakeTheStatesThatTomlMakes) {
  Actions();
  const std::string toml = manifest_;
  manifest_ = Write("library.jsonl",
                    R"({"name": "book", "files": ["docs"], "heading": "# {path}\n", "tags": "new"})"
                    "\n\n"
                    R"({"name": "notes", "files": "notes/*.md", "each": true})");
  EXPECT_THAT(Actions(), ElementsAre(Pair("book", "unchanged"), Pair("notes/n", "unchanged")));
  EXPECT_THAT(Names(), ElementsAre("book:latest", "book:new", "book:stable", "notes/n:latest"));
  Write("docs/c.md", "The third chapter.\n");
  EXPECT_THAT(Actions(), ElementsAre(Pair("book", "rebuilt"), Pair("notes/n", "unchanged")));
  manifest_ = toml;
  EXPECT_THAT(Actions(), ElementsAre(Pair("book", "unchanged"), Pair("notes/n", "unchanged")));
}

TEST_F(Build, WhatIsWrongInJsonLinesIsSaidWithFileAndLine) {
  const std::string bad = Write("bad.jsonl", "\n{\"name\": \"a\", \"files\": \"none\"}\n");
  EXPECT_THAT(ExpectFailure({"build", bad}, 3), HasSubstr("bad.jsonl:2: none: no such file"));
  Write("bad.jsonl", "{\"name\": \"a\", \"files\": \"docs\", \"headin\": \"x\"}");
  EXPECT_THAT(ExpectFailure({"build", bad}, 2),
              HasSubstr("bad.jsonl:1: unknown key 'headin'; did you mean heading?"));
}

}  // namespace
}  // namespace statelib::cli
