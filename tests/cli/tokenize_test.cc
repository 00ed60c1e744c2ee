// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/process.h"
#include "tests/temporary_directory.h"

namespace statelib::cli {
namespace {

using ::testing::HasSubstr;

const std::string kSource = STATELIB_SOURCE_DIR;

std::string Content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

std::vector<nlohmann::json> Lines(const std::string& text) {
  std::vector<nlohmann::json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

void ExpectGolden(const std::string& golden, const std::string& option, const std::string& path) {
  ProcessOptions options;
  options.input = Content(kSource + "/tests/golden/tokenizer/" + golden);
  const auto wanted = Lines(options.input);
  const ProcessResult result =
      RunStatelib({"tokenize", "--lines-json", "--json", option, path}, options);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto found = Lines(result.out);
  ASSERT_EQ(found.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(found[i]["ids"], wanted[i]["ids"]) << wanted[i];
    EXPECT_EQ(found[i]["decoded"], wanted[i]["decoded"]) << wanted[i];
  }
  // And back: the same decoded texts from the printed lines.
  options.input = result.out;
  const auto back = Lines(RunStatelib({"detokenize", "--json", option, path}, options).out);
  ASSERT_EQ(back.size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(back[i]["text"], wanted[i]["decoded"]);
}

TEST(Tokenize, EveryGoldenLineOfTheDemoTokenizerMatches) {
  ExpectGolden("demo.jsonl", "--model", kSource + "/examples/models/demo");
}

TEST(Tokenize, EveryGoldenLineOfTheGptNeoxTokenizerMatches) {
  ExpectGolden("gpt-neox-20b.jsonl", "--tokenizer",
               kSource + "/examples/tokenizers/gpt-neox-20b/tokenizer.json");
}

TEST(Tokenize, AnOriginalCheckpointTakesTheTokenizerThatComesWithTheProgramOrTheGivenOne) {
  const std::string original = kSource + "/tests/golden/mamba_original";
  const ProcessResult none = RunStatelib({"tokenize", "--text", "x", "--model", original});
  EXPECT_EQ(none.exit_code, 3);
  EXPECT_THAT(none.err, HasSubstr("name a tokenizer.json with --tokenizer FILE"));
  EXPECT_EQ(std::count(none.err.begin(), none.err.end(), '\n'), 1);
  const TemporaryDirectory directory;
  directory.Write("t.json",
                  R"({"version":"1.0","model":{"type":"BPE","vocab":{"x":7},"merges":[]}})");
  const std::string tokenizer = (directory.path() / "t.json").string();
  const ProcessResult given =
      RunStatelib({"tokenize", "--text", "xx", "--model", original, "--tokenizer", tokenizer});
  EXPECT_EQ(given.out, "7 7\n") << given.err;
  ProcessOptions options;
  options.environment.emplace("STATELIB_HOME", (directory.path() / "library").string());
  directory.Write("x.txt", "xxx");
  const auto run = [&](std::vector<std::string> arguments) {
    return RunStatelib(arguments, options);
  };
  // A state's model is found again with its tokenizer, also where nobody added it.
  const std::string text = (directory.path() / "x.txt").string();
  EXPECT_EQ(run({"ingest", "first", text, "--model", original, "--tokenizer", tokenizer}).exit_code,
            0);
  EXPECT_EQ(run({"append", "first", text}).exit_code, 0);
  const ProcessResult added =
      run({"model", "add", original, "--name", "o", "--tokenizer", tokenizer});
  EXPECT_THAT(added.out, HasSubstr("t.json")) << added.err;
  const ProcessResult read = run({"ingest", "s", text, "--model", "o"});
  EXPECT_THAT(read.out, HasSubstr("3 tokens")) << read.err;
  EXPECT_EQ(run({"generate", "s", "x", "--max-tokens", "1"}).exit_code, 0);
  EXPECT_EQ(run({"tokenize", "--text", "x", "--model", "o"}).out, "7\n");
}

TEST(Tokenize, ATokenizerMayBeAGgufFileAndAWrongFileIsOneLine) {
  const std::string pieces = kSource + "/tests/golden/tokenizer/sentencepiece.gguf";
  EXPECT_EQ(RunStatelib({"tokenize", "--text", "a", "--add-special", "--tokenizer", pieces}).out,
            "1 266 2\n");
  const std::string demo = kSource + "/examples/models/demo";
  for (const char* wrong : {"", "/config.json", "/model.safetensors", "/tokenizer_config.json"}) {
    const ProcessResult result =
        RunStatelib({"tokenize", "--text", "x", "--tokenizer", demo + wrong});
    EXPECT_EQ(result.exit_code, 2) << wrong;
    EXPECT_THAT(result.err, HasSubstr("name " + demo + "/tokenizer.json")) << wrong;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
}

TEST(Tokenize, PrintsOneLineOfIdsForEachLineOfText) {
  ProcessOptions options;
  options.input = "one\n\ntwo";
  const ProcessResult result = RunStatelib({"tokenize"}, options);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 3);
  options.input = result.out;
  EXPECT_EQ(RunStatelib({"detokenize"}, options).out, "one\n\ntwo\n");
}

TEST(Tokenize, WholeKeepsLineFeedsInTheText) {
  ProcessOptions options;
  options.input = "one\ntwo\n";
  const auto lines = Lines(RunStatelib({"tokenize", "--whole", "--json"}, options).out);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["decoded"], "one\ntwo\n");
}

TEST(Tokenize, LongLinesAcrossReadBlocksStayWhole) {
  std::string line;
  for (int i = 0; i < 40'000; ++i) line += "word" + std::to_string(i) + " ";
  ProcessOptions options;
  options.input = line + "\nshort\n" + line;
  const auto lines = Lines(RunStatelib({"tokenize", "--json"}, options).out);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0]["decoded"], line);
  EXPECT_EQ(lines[1]["decoded"], "short");
  EXPECT_EQ(lines[2]["decoded"], line);
}

TEST(Tokenize, BrokenJsonLinesAreNamedByNumber) {
  for (const char* bad : {"{", "[]", "{\"text\": 3}", "{\"texts\": \"a\"}", "", "\xff\xfe"}) {
    ProcessOptions options;
    options.input = std::string("{\"text\": \"fine\"}\n") + bad + "\n";
    const ProcessResult result = RunStatelib({"tokenize", "--lines-json"}, options);
    EXPECT_EQ(result.exit_code, 2) << bad;
    EXPECT_THAT(result.err, HasSubstr("standard input line 2")) << bad;
  }
}

TEST(Detokenize, WhatIsNoTokenIdIsRefused) {
  for (const char* bad :
       {"12 x", "1.5", "-3", "99999999999", "[1, \"a\"]", "[1", "{\"id\": [1]}"}) {
    ProcessOptions options;
    options.input = std::string(bad) + "\n";
    const ProcessResult result = RunStatelib({"detokenize"}, options);
    EXPECT_EQ(result.exit_code, 2) << bad;
    EXPECT_THAT(result.err, HasSubstr("standard input line 1")) << bad;
  }
}

TEST(Detokenize, ControlCharactersReachAPipeButNoTerminal) {
  ProcessOptions options;
  options.input = "\x1b[31mred";
  options.input = RunStatelib({"tokenize"}, options).out;
  EXPECT_EQ(RunStatelib({"detokenize"}, options).out, "\x1b[31mred\n");
  const TemporaryDirectory directory;
  const std::string file = directory.Write("ids", options.input).string();
  ProcessOptions terminal;
  terminal.terminal = true;
  EXPECT_EQ(RunStatelib({"detokenize", file}, terminal).out, "\\x1b[31mred\r\n");
}

TEST(Tokenize, MissingAndBrokenModelsAreOneLine) {
  const TemporaryDirectory directory;
  directory.Write("broken/tokenizer.json", "{\"version\": \"1.0\"");
  const ProcessResult missing =
      RunStatelib({"tokenize", "--text", "x", "--model", (directory.path() / "none").string()});
  EXPECT_EQ(missing.exit_code, 3) << missing.err;
  const ProcessResult broken =
      RunStatelib({"tokenize", "--text", "x", "--model", (directory.path() / "broken").string()});
  EXPECT_EQ(broken.exit_code, 4) << broken.err;
  EXPECT_THAT(broken.err, HasSubstr("tokenizer.json"));
}

}  // namespace
}  // namespace statelib::cli
