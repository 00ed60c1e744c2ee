// SPDX-License-Identifier: Apache-2.0
#include "cli/library_manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace statelib::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Every key, with another value than the one that stands without it.
constexpr const char* kToml = R"([defaults]
codec = "int8"
checkpoint-every = 512
[[state]]
name = "a:v1"
files = ["x.md", "docs"]
include = "*.md"
exclude = ["b", "c"]
hidden = true
ignore-files = false
separator = "\n--\n"
heading = "# {path}\n"
each = true
tags = ["s", "t"]
keep-tokens = false
checkpoint-every = 64
model = "m"
tokenizer = "t.json"
weights = "bf16"
codec = "bf16"
max-kl = 0.5
probe = "p.txt"
[[state]]
name = "b"
files = "y.md"
max-kl = 1
)";
constexpr const char* kJsonLines =
    R"({"defaults": {"codec": "int8", "checkpoint-every": 512}})"
    "\n\r\n \t\n"
    R"({"name": "a:v1", "files": ["x.md", "docs"], "include": "*.md", "exclude": ["b", "c"],)"
    R"( "hidden": true, "ignore-files": false, "separator": "\n--\n", "heading": "# {path}\n",)"
    R"( "each": true, "tags": ["s", "t"], "keep-tokens": false, "checkpoint-every": 64,)"
    R"( "model": "m", "tokenizer": "t.json", "weights": "bf16", "codec": "bf16", "max-kl": 0.5,)"
    R"( "probe": "p.txt"})"
    "\r\n"
    R"({"name": "b", "files": "y.md", "max-kl": 1})";

void ExpectTheStates(const std::vector<ManifestState>& states) {
  ASSERT_EQ(states.size(), 2u);
  const ManifestState& a = states[0];
  EXPECT_EQ(a.reference.Text(), "a:v1");
  EXPECT_THAT(a.files, ElementsAre("x.md", "docs"));
  EXPECT_THAT(a.folders.include, ElementsAre("*.md"));
  EXPECT_THAT(a.folders.exclude, ElementsAre("b", "c"));
  EXPECT_TRUE(a.folders.hidden);
  EXPECT_FALSE(a.folders.ignore_files);
  EXPECT_EQ(a.text_template.separator, "\n--\n");
  EXPECT_EQ(a.text_template.heading, "# {path}\n");
  EXPECT_TRUE(a.each);
  EXPECT_THAT(a.tags, ElementsAre("s", "t"));
  EXPECT_FALSE(a.keep_tokens);
  EXPECT_EQ(a.checkpoint_stride_tokens, 64u);
  EXPECT_EQ(a.model.model, "m");
  EXPECT_EQ(a.model.tokenizer, "t.json");
  EXPECT_EQ(a.weights, "bf16");
  EXPECT_EQ(a.codec.codec, "bf16");
  EXPECT_EQ(a.codec.kl_max, 0.5);
  EXPECT_EQ(a.codec.probe_file, "p.txt");
  const ManifestState& b = states[1];
  EXPECT_EQ(b.reference.Text(), "b");
  EXPECT_THAT(b.files, ElementsAre("y.md"));
  EXPECT_EQ(b.codec.codec, "int8");
  EXPECT_EQ(b.checkpoint_stride_tokens, 512u);
  EXPECT_EQ(b.codec.kl_max, 1.0);
  EXPECT_FALSE(b.each);
  EXPECT_TRUE(b.keep_tokens);
}

std::string MessageOf(const std::string& text, const std::string& name) {
  try {
    ParseManifest(text, name);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown for " << text;
  return "";
}

TEST(LibraryManifest, BothFormsSayTheSame) {
  ExpectTheStates(ParseManifest(kToml, "statelib.toml"));
  ExpectTheStates(ParseManifest(kJsonLines, "library.jsonl"));
}

TEST(LibraryManifest, JsonLinesAreKnownByTheirNameOrTheirBrace) {
  for (const char* const name : {"a.jsonl", "a.ndjson", "a.txt", "-"}) {
    const auto states = ParseManifest(kJsonLines, name);
    EXPECT_EQ(states.at(0).location, std::string(name) + ":4");
    EXPECT_EQ(states.at(1).location, std::string(name) + ":5");
  }
  EXPECT_EQ(ParseManifest("\xEF\xBB\xBF" + std::string(kJsonLines), "a.txt").size(), 2u);
  EXPECT_EQ(ParseManifest("\xEF\xBB\xBF" + std::string(kToml), "a.txt").size(), 2u);
  EXPECT_THAT(MessageOf("[[state]]\n", "a.jsonl"),
              HasSubstr("a.jsonl:1: expected a JSON document"));
}

TEST(LibraryManifest, TheSameMistakesGiveTheSameMessages) {
  const auto expect = [](const std::string& toml, const std::string& json,
                         const std::string& message) {
    EXPECT_EQ(MessageOf("[[state]]\nname = \"a\"\nfiles = \"x\"\n" + toml, "m"), "m:4: " + message);
    EXPECT_EQ(MessageOf("\n\n\n{\"name\": \"a\", \"files\": \"x\", " + json + "}", "m"),
              "m:4: " + message);
  };
  expect("headin = 'x'", R"("headin": "x")", "unknown key 'headin'; did you mean heading?");
  expect("qqqqqq = 1", R"("qqqqqq": 1)",
         "unknown key 'qqqqqq'; `statelib build --help` lists them");
  expect("each = 1", R"("each": 1)", "each: expected true or false, found a whole number");
  expect("each = 1.5", R"("each": 1.5)", "each: expected true or false, found a number");
  expect("model = true", R"("model": true)", "model: expected a text, found true or false");
  expect("model = 1979-05-27", R"("model": null)", "model: expected a text, found something else");
  expect("checkpoint-every = -1", R"("checkpoint-every": -1)",
         "checkpoint-every: expected a number from 0 on, found -1");
  expect("checkpoint-every = 1.0", R"("checkpoint-every": 1.0)",
         "checkpoint-every: expected a whole number, found a number");
  expect("tags = ['s', 2]", R"("tags": ["s", 2])",
         "tags: expected a list of texts, found a whole number in it");
  expect("max-kl = 'x'", R"("max-kl": "x")", "max-kl: expected a number, found a text");
  expect("tags = {}", R"("tags": {})", "tags: expected a list of texts, found something else");
  expect("codec = 'int4'", R"("codec": "int4")",
         "codec: expected exact, bf16, int8 or delta, found 'int4'");
}

TEST(LibraryManifest, AKeyOfTooManyPartsIsRefusedAndTextWithDotsIsNot) {
  const auto parts = [](const std::string& part) {
    std::string key = part;
    for (int i = 0; i < 400'000; ++i) key += "." + part;
    return key;
  };
  for (const std::string& key : {parts("a"), parts("\"#\""), parts("'\"'"), "[" + parts("a") + "]",
                                 "x = { y = 1, " + parts("a")}) {
    try {
      ParseManifest("[defaults]\n" + key + " = 1\n", "statelib.toml");
      ADD_FAILURE() << key.substr(0, 20);
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), "statelib.toml:2: a key of more than 256 parts");
    }
  }
  const std::string dots(1000, '.');
  const std::string text = "# " + dots + "\n[[state]]\nname = 'a'\nfiles = ['a.md']\nheading = \"" +
                           dots + "\\\"" + dots + "\"\nseparator = '''\n" + dots + "'''\n";
  EXPECT_EQ(ParseManifest(text, "statelib.toml").size(), 1u);
}

TEST(LibraryManifest, JsonLinesThatAreNoStatesAreRefusedByLine) {
  const std::string state = R"({"name": "a", "files": "x"})";
  EXPECT_THAT(MessageOf(state + "\n{\"name\": ", "m"), HasSubstr("m:2: expected a JSON document"));
  EXPECT_THAT(MessageOf(state + state, "m"), HasSubstr("m:1: expected a JSON document"));
  EXPECT_THAT(MessageOf("{\n\"name\": \"a\"}", "m"), HasSubstr("m:1: expected a JSON document"));
  EXPECT_EQ(MessageOf(state + "\n[1]", "m"), "m:2: expected an object, found an array");
  EXPECT_EQ(MessageOf(R"({"name": "a", "name": "b"})", "m"),
            "m:1: the key \"name\" stands there twice");
  EXPECT_EQ(MessageOf(R"({"files": "x"})", "m"), "m:1: a state without a name");
  EXPECT_EQ(MessageOf(R"({"name": "a"})", "m"), "m:1: the state a has no files");
  EXPECT_EQ(MessageOf(state + "\n\n" + state, "m"), "m:3: a is described at m:1 already");
  EXPECT_EQ(MessageOf("\n \n", "m.jsonl"), "m.jsonl: no state in it");
}

TEST(LibraryManifest, DefaultsStandAloneOnTheFirstJsonLine) {
  const std::string state = R"({"name": "a", "files": "x"})";
  const std::string defaults = R"({"defaults": {"codec": "int8"}})";
  const std::string alone = "'defaults' stands alone on the first line";
  EXPECT_EQ(MessageOf(state + "\n" + defaults, "m"), "m:2: " + alone);
  EXPECT_EQ(MessageOf(defaults + "\n" + defaults, "m"), "m:2: " + alone);
  EXPECT_EQ(MessageOf(R"({"defaults": {}, "name": "a", "files": "x"})", "m"), "m:1: " + alone);
  EXPECT_EQ(MessageOf(R"({"defaults": {"name": "a"}})", "m"),
            "m:1: 'name' belongs to a state, not to the defaults");
  EXPECT_EQ(MessageOf(R"({"defaults": 1})", "m"),
            "m:1: defaults: expected an object, found an "
            "integer");
  EXPECT_EQ(MessageOf(defaults, "m"), "m: no state in it");
}

}  // namespace
}  // namespace statelib::cli
