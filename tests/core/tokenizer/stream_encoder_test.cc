// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/stream_encoder.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "tests/core/tokenizer/golden_lines.h"
#include "tests/core/tokenizer/small_tokenizer.h"

namespace statelib::tokenizer {
namespace {

struct Streamed {
  Ids ids;
  std::string text;
  size_t parts = 0;
  size_t longest = 0;  // part
};

/// The text goes in by `step` bytes.
Streamed Stream(const Tokenizer& tokenizer, std::string_view text, size_t part_bytes, size_t step,
                AddSpecial add_special = AddSpecial::kNo) {
  Streamed all;
  StreamEncoder stream(
      tokenizer, add_special,
      [&](std::string_view part, std::span<const TokenId> ids) {
        all.text += part;
        all.ids.insert(all.ids.end(), ids.begin(), ids.end());
        ++all.parts;
        all.longest = std::max(all.longest, part.size());
      },
      part_bytes);
  for (; !text.empty(); text.remove_prefix(std::min(step, text.size())))
    stream.Push(text.substr(0, step));
  stream.Finish();
  return all;
}

/// What the published tokenizers are tested with, and what is near the places where text is cut.
std::string AwkwardText(unsigned seed) {
  const std::vector<GoldenLine> lines = ReadGolden("demo.jsonl");
  const std::vector<std::string> awkward = {
      " ",       "  ",     "\n", "\n\n", " \n",           "a",   "Zz",
      "'s",      "'r",     "e",  "7",    "123",           ".\n", "é",
      "e\u0301", "\u0301", "。", "\xff", "<|endoftext|>", "\t",  "\r\n",
      "don't"};
  std::mt19937 random(seed);
  std::string text;
  for (int i = 0; i < 400; ++i) {
    if (random() % 4 == 0)
      text += lines[random() % lines.size()].text;
    else
      text += awkward[random() % awkward.size()];
  }
  return text;
}

std::unique_ptr<Tokenizer> Golden(const std::string& kind) {
  return Tokenizer::Load(GoldenTokenizers() / (kind + ".tokenizer.json"));
}

TEST(StreamEncoder, EqualsEncodingTheWholeWhereverItIsCut) {
  std::vector<std::unique_ptr<Tokenizer>> tokenizers;
  tokenizers.push_back(Tokenizer::Load(GptNeoxFile()));
  tokenizers.push_back(Tokenizer::Load(DemoFile()));
  for (const char* kind : {"falcon", "llama3"}) tokenizers.push_back(Golden(kind));
  for (const auto& tokenizer : tokenizers) {
    ASSERT_TRUE(tokenizer->CutsAfterWords());
    for (unsigned seed = 1; seed <= 6; ++seed) {
      const std::string text = AwkwardText(seed);
      const Streamed streamed = Stream(*tokenizer, text, 1 + seed * 7, 1 + seed * 5);
      EXPECT_EQ(streamed.text, text);
      EXPECT_EQ(streamed.ids, tokenizer->Encode(text, AddSpecial::kNo)) << "seed " << seed;
      EXPECT_GT(streamed.parts, 20u);
    }
  }
}

TEST(StreamEncoder, HoldsLittleMoreThanAPartOfProse) {
  std::string prose;
  for (int i = 0; i < 2000; ++i) prose += "The " + std::to_string(i) + " words of a line.\n";
  const Streamed streamed = Stream(*Tokenizer::Load(GptNeoxFile()), prose, 256, 100);
  EXPECT_GT(streamed.parts, prose.size() / 300);
  EXPECT_LE(streamed.longest, 256u);
}

TEST(StreamEncoder, HoldsATextOfATokenizerThatReadsAcrossWordsToItsEnd) {
  for (const char* kind : {"llama", "metaspace-first", "split-merged_with_next"}) {
    const auto tokenizer = Golden(kind);
    EXPECT_FALSE(tokenizer->CutsAfterWords()) << kind;
    const std::string text = AwkwardText(1);
    const Streamed streamed = Stream(*tokenizer, text, 16, 16);
    EXPECT_EQ(streamed.parts, 1u);
    EXPECT_EQ(streamed.ids, tokenizer->Encode(text, AddSpecial::kNo));
  }
}

SmallTokenizer ByteLevel() {
  return {.pre_tokenizer = R"({"type":"ByteLevel","add_prefix_space":false})",
          .model = R"({"type":"BPE","vocab":{"a":0,"b":1,"Ġ":2,"Ġb":3},"merges":["Ġ b"]})"};
}

TEST(StreamEncoder, SpecialTokensStandAtTheEndsOfTheWholeAlone) {
  SmallTokenizer described = ByteLevel();
  described.added_tokens = R"([{"id":9,"content":"<s>"},{"id":8,"content":"</s>"}])";
  described.post_processor =
      R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},)"
      R"({"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"</s>","type_id":0}}],"pair":[],)"
      R"("special_tokens":{"<s>":{"id":"<s>","ids":[9],"tokens":["<s>"]},)"
      R"("</s>":{"id":"</s>","ids":[8],"tokens":["</s>"]}}})";
  const auto tokenizer = described.Build();
  for (const std::string text : {"", "a", "a b a b"}) {
    const Streamed streamed = Stream(*tokenizer, text, 2, 1, AddSpecial::kYes);
    EXPECT_EQ(streamed.ids, tokenizer->Encode(text, AddSpecial::kYes)) << text;
  }
  EXPECT_EQ(Stream(*tokenizer, "a b a b", 2, 1, AddSpecial::kYes).parts, 4u);
}

TEST(StreamEncoder, AddedTokensThatReachAcrossAWordsEndForbidCutting) {
  const auto cuts = [](const std::string& token) {
    SmallTokenizer described = ByteLevel();
    described.added_tokens = "[{\"id\":9," + token + "}]";
    return described.Build()->CutsAfterWords();
  };
  EXPECT_TRUE(cuts(R"("content":"<s>")"));
  EXPECT_TRUE(cuts(R"("content":"  ")"));
  EXPECT_TRUE(cuts(R"("content":"<s>","lstrip":true,"rstrip":true)"));
  EXPECT_FALSE(cuts(R"("content":"a b")"));
  EXPECT_FALSE(cuts(R"("content":"ab","rstrip":true)"));
  EXPECT_FALSE(cuts(R"("content":" b","single_word":true)"));
}

TEST(StreamEncoder, NormalizersThatReachAcrossAWordsEndForbidCutting) {
  const auto cuts = [](const std::string& normalizer) {
    SmallTokenizer described = ByteLevel();
    described.normalizer = normalizer;
    return described.Build()->CutsAfterWords();
  };
  EXPECT_TRUE(cuts(R"({"type":"NFKC"})"));
  EXPECT_TRUE(cuts(R"({"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"NFC"}]})"));
  EXPECT_FALSE(cuts(R"({"type":"Prepend","prepend":"x"})"));
  EXPECT_FALSE(cuts(R"({"type":"Replace","pattern":{"String":"a b"},"content":"c"})"));
}

TEST(StreamEncoder, TooLongATextWithoutAPlaceToCutIsRefused) {
  const auto tokenizer = ByteLevel().Build();
  StreamEncoder stream(
      *tokenizer, AddSpecial::kNo, [](auto, auto) {}, size_t{1} << 22);
  const std::string much(size_t{1} << 22, '.');
  EXPECT_THAT(ErrorOf([&] {
                for (int i = 0; i < 20; ++i) stream.Push(much);
              }),
              testing::HasSubstr("at most"));
}

}  // namespace
}  // namespace statelib::tokenizer
