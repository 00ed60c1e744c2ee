// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/embedded_vocabulary.h"

#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <map>

#include "core/tokenizer/tokenizer.h"
#include "tests/core/tokenizer/golden_lines.h"
#include "tests/core/tokenizer/small_tokenizer.h"

namespace statelib::tokenizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::unique_ptr<Tokenizer> Build(const EmbeddedVocabulary& vocabulary) {
  return Tokenizer::Build(vocabulary, "m.gguf");
}

std::string Failure(const EmbeddedVocabulary& vocabulary) {
  return ErrorOf([&] { Build(vocabulary); });
}

/// A tokenizer.json of the byte-level kind as converters write it into a GGUF file.
class Gpt2Arrays {
 public:
  explicit Gpt2Arrays(const std::filesystem::path& file, size_t rows) : file_(Content(file)) {
    const JsonValue root = file_.root();
    std::map<TokenId, std::pair<std::string, int64_t>> tokens;
    root["model"]["vocab"].ForEachMemberUnchecked([&](std::string_view text, const JsonValue& id) {
      tokens[static_cast<TokenId>(id.Int(0, 1 << 20))] = {std::string(text), 1};
    });
    root["added_tokens"].ForEach([&](const JsonValue& token) {
      tokens[static_cast<TokenId>(token["id"].Int(0, 1 << 20))] = {
          std::string(token["content"].String()), token["special"].Bool() ? 3 : 4};
    });
    for (size_t id = 0; id < rows; ++id) {
      const auto token = tokens.find(static_cast<TokenId>(id));
      texts_.push_back(token != tokens.end() ? token->second.first : fmt::format("[PAD{}]", id));
      vocabulary.types.push_back(token != tokens.end() ? token->second.second : 5);
    }
    vocabulary.kind = "gpt2";
    vocabulary.tokens.assign(texts_.begin(), texts_.end());
    root["model"]["merges"].ForEach(
        [&](const JsonValue& merge) { vocabulary.merges.push_back(merge.String()); });
  }

  EmbeddedVocabulary vocabulary;

 private:
  static std::string Content(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  ParsedJson file_;
  std::vector<std::string> texts_;
};

TEST(EmbeddedVocabulary, GptNeoxInArraysReadsEveryGoldenLineAsItsFileDoes) {
  Gpt2Arrays arrays(GptNeoxFile(), 50280);
  arrays.vocabulary.pre = "mpt";
  const auto tokenizer = Build(arrays.vocabulary);
  const std::vector<GoldenLine> lines = ReadGolden("gpt-neox-20b.jsonl");
  ASSERT_EQ(lines.size(), 1535u);
  for (const GoldenLine& line : lines) {
    ASSERT_EQ(tokenizer->Encode(line.text), line.ids) << line.text;
    ASSERT_EQ(tokenizer->Decode(line.ids), line.decoded) << line.text;
  }
  EXPECT_EQ(tokenizer->vocabulary_size(), 50277u);
  EXPECT_EQ(tokenizer->Content(50278), std::nullopt);
  EXPECT_TRUE(tokenizer->IsSpecial(0));
}

// A piece's score is minus its id, as converters write it.
struct LlamaArrays {
  explicit LlamaArrays(std::vector<std::string> pieces) : texts(std::move(pieces)) {
    vocabulary.kind = "llama";
    vocabulary.tokens.assign(texts.begin(), texts.end());
    for (size_t id = 0; id < texts.size(); ++id) {
      const bool byte = texts[id].starts_with("<0x");
      vocabulary.types.push_back(id == 0 ? 2 : id <= 2 ? 3 : byte ? 6 : 1);
      vocabulary.scores.push_back(-static_cast<double>(id));
    }
    vocabulary.unknown = 0;
    vocabulary.begin = 1;
    vocabulary.end = 2;
  }
  std::vector<std::string> texts;
  EmbeddedVocabulary vocabulary;
};

LlamaArrays SmallLlama() {
  return LlamaArrays({"<unk>", "<s>", "</s>", "<0xC3>", "<0xA9>", "bc", "ab", "abc", "▁a", "a", "b",
                      "c", "▁", "x"});
}

TEST(EmbeddedVocabulary, LlamaMergesThePieceOfTheHighestScoreFirst) {
  const auto tokenizer = Build(SmallLlama().vocabulary);
  // ▁ a b c: "bc" goes before "ab" and "▁a", and then "▁a" is left.
  EXPECT_THAT(tokenizer->Encode("abc", AddSpecial::kNo), ElementsAre(12, 7));
  EXPECT_THAT(tokenizer->Encode("ab", AddSpecial::kNo), ElementsAre(12, 6));
  EXPECT_THAT(tokenizer->Encode("a", AddSpecial::kNo), ElementsAre(8));
}

TEST(EmbeddedVocabulary, LlamaMergesTheLeftmostOfPiecesWithOneScore) {
  LlamaArrays arrays({"<unk>", "<s>", "</s>", "a", "b", "aa", "ba", "aab"});
  arrays.vocabulary.scores = {0, 0, 0, 0, 0, -1, -1, -1};
  arrays.vocabulary.adds_space_prefix = false;
  const auto tokenizer = Build(arrays.vocabulary);
  EXPECT_THAT(tokenizer->Encode("aaba", AddSpecial::kNo), ElementsAre(7, 3));
  EXPECT_THAT(tokenizer->Encode("aaa", AddSpecial::kNo), ElementsAre(5, 3));
}

TEST(EmbeddedVocabulary, LlamaBeginsATextWithItsTokenAndASpace) {
  LlamaArrays arrays = SmallLlama();
  EXPECT_THAT(Build(arrays.vocabulary)->Encode("x"), ElementsAre(1, 12, 13));
  arrays.vocabulary.adds_space_prefix = false;
  EXPECT_THAT(Build(arrays.vocabulary)->Encode("x"), ElementsAre(1, 13));
  arrays.vocabulary.adds_begin = false;
  arrays.vocabulary.adds_end = true;
  EXPECT_THAT(Build(arrays.vocabulary)->Encode("x"), ElementsAre(13, 2));
}

TEST(EmbeddedVocabulary, LlamaFallsBackToBytesAndThenToTheUnknownToken) {
  const auto tokenizer = Build(SmallLlama().vocabulary);
  EXPECT_THAT(tokenizer->Encode("xé", AddSpecial::kNo), ElementsAre(12, 13, 3, 4));
  EXPECT_THAT(tokenizer->Encode("xñzx", AddSpecial::kNo), ElementsAre(12, 13, 0, 13));
  EXPECT_EQ(tokenizer->Decode(Ids{1, 12, 13, 3, 4, 12, 13}, true), "xé x");
}

TEST(EmbeddedVocabulary, ControlTokensAreFoundInTextAndLeftOutOnRequest) {
  LlamaArrays arrays = SmallLlama();
  const auto tokenizer = Build(arrays.vocabulary);
  EXPECT_THAT(tokenizer->Encode("x</s>x", AddSpecial::kNo), ElementsAre(12, 13, 2, 12, 13));
  EXPECT_TRUE(tokenizer->IsSpecial(2));
  EXPECT_FALSE(tokenizer->IsSpecial(13));
  EXPECT_EQ(tokenizer->Decode(Ids{13, 2, 13}, true), "xx");
  EXPECT_EQ(tokenizer->Decode(Ids{13, 2, 13}), "x</s>x");
}

TEST(EmbeddedVocabulary, UserDefinedTokensAreCutOutAndUnusedRowsAreNone) {
  LlamaArrays arrays = SmallLlama();
  arrays.vocabulary.types[7] = EmbeddedVocabulary::kUserDefined;
  arrays.vocabulary.types[13] = EmbeddedVocabulary::kUnused;
  const auto tokenizer = Build(arrays.vocabulary);
  EXPECT_THAT(tokenizer->Encode("babcb", AddSpecial::kNo), ElementsAre(12, 10, 7, 12, 10));
  EXPECT_FALSE(tokenizer->IsSpecial(7));
  EXPECT_EQ(tokenizer->Content(13), std::nullopt);
  EXPECT_EQ(tokenizer->vocabulary_size(), 13u);
  EXPECT_EQ(tokenizer->Decode(Ids{13}), "");
}

EmbeddedVocabulary SmallGpt2(std::string_view pre) {
  EmbeddedVocabulary vocabulary;
  vocabulary.kind = "gpt2";
  vocabulary.pre = pre;
  vocabulary.tokens = {"1", "2", "3", "12", "123", "Ġ", "a", "Ġa", "$", "a$", "\u00c3", "\u00a9"};
  vocabulary.merges = {"1 2", "12 3", "Ġ a", "a $"};
  vocabulary.begin = 8;
  return vocabulary;
}

TEST(EmbeddedVocabulary, ThePreTokenizerIsTheNamedOne) {
  EXPECT_THAT(Build(SmallGpt2("gpt-2"))->Encode("12312 a"), ElementsAre(4, 3, 7));
  EXPECT_THAT(Build(SmallGpt2("falcon"))->Encode("1212 a"), ElementsAre(3, 0, 1, 7));
  EXPECT_THAT(Build(SmallGpt2("starcoder"))->Encode("123"), ElementsAre(0, 1, 2));
  EXPECT_THAT(Build(SmallGpt2("qwen2"))->Encode("123"), ElementsAre(0, 1, 2));
}

TEST(EmbeddedVocabulary, DeepseeksWordsTakeTheSpaceBeforeThemAndDigitsStandAlone) {
  EmbeddedVocabulary vocabulary = SmallGpt2("deepseek-coder");
  vocabulary.tokens = {"1", "2", "12", "Ġ", "a", "Ġa", "aa", "!", "a!", "Ġ!", "!!", "Ċ", "Ċa"};
  vocabulary.merges = {"1 2", "Ġ a", "a a", "a !", "Ġ !", "! !", "Ċ a"};
  vocabulary.begin.reset();
  for (const char* pre : {"deepseek-coder", "deepseek-llm"}) {
    vocabulary.pre = pre;
    const auto tokenizer = Build(vocabulary);
    EXPECT_THAT(tokenizer->Encode("12 aa"), ElementsAre(0, 1, 5, 4)) << pre;
    EXPECT_THAT(tokenizer->Encode("aa!! !\na"), ElementsAre(6, 10, 9, 11, 4)) << pre;
    EXPECT_THAT(tokenizer->Encode("  a"), ElementsAre(3, 5)) << pre;
    EXPECT_TRUE(tokenizer->CutsAfterWords()) << pre;
  }
}

TEST(EmbeddedVocabulary, DeepseekLlmsWordsAreOfSomeScriptsAlone) {
  EmbeddedVocabulary vocabulary;
  vocabulary.kind = "gpt2";
  // Armenian A and ayb: the published class has the capital letter alone. Bytes D4 B1 and D5 A1.
  vocabulary.tokens = {"\u00d4", "\u00b1", "\u00d5", "\u00a1", "Ġ", "a", "Ġ\u00d4", "Ġ\u00d5"};
  vocabulary.merges = {"Ġ \u00d4", "Ġ \u00d5"};
  vocabulary.pre = "deepseek-llm";
  EXPECT_THAT(Build(vocabulary)->Encode("a \u0531"), ElementsAre(5, 6, 1));
  EXPECT_THAT(Build(vocabulary)->Encode("a! \u0561"), ElementsAre(5, 7, 3));
  EXPECT_THAT(Build(vocabulary)->Encode("\u0531 \u0561"), ElementsAre(0, 1, 7, 3));
  vocabulary.pre = "deepseek-coder";
  EXPECT_THAT(Build(vocabulary)->Encode("a \u0561"), ElementsAre(5, 7, 3));
}

TEST(EmbeddedVocabulary, Qwen35sWordsHoldMarksAndItComposes) {
  EmbeddedVocabulary vocabulary;
  vocabulary.kind = "gpt2";
  // Devanagari ka and the vowel sign i, which composes with nothing: E0 A4 95, E0 A4 BF.
  vocabulary.tokens = {"\u00e0", "\u00a4", "\u0137", "\u00bf", "\u0137\u00e0", "\u00c3", "\u00a9"};
  vocabulary.merges = {"\u0137 \u00e0"};
  vocabulary.pre = "qwen35";
  EXPECT_THAT(Build(vocabulary)->Encode("\u0915\u093f"), ElementsAre(0, 1, 4, 1, 3));
  EXPECT_THAT(Build(vocabulary)->Encode("e\u0301"), ElementsAre(5, 6));
  EXPECT_TRUE(Build(vocabulary)->CutsAfterWords());
  vocabulary.pre = "qwen2";
  EXPECT_THAT(Build(vocabulary)->Encode("\u0915\u093f"), ElementsAre(0, 1, 2, 0, 1, 3));
}

// As Falcon's tokenizer.json, whose Digits see "²" where the byte 0xB2 stands.
TEST(EmbeddedVocabulary, FalconCutsBytesThatStandForDigits) {
  EmbeddedVocabulary vocabulary = SmallGpt2("falcon");
  vocabulary.tokens = {"\u00ea", "\u00b0", "\u00b2", "\u00ea\u00b0", "\u00ea\u00b0\u00b2"};
  vocabulary.merges = {"\u00ea \u00b0", "\u00ea\u00b0 \u00b2"};
  vocabulary.begin.reset();
  EXPECT_THAT(Build(vocabulary)->Encode("\uac32"), ElementsAre(3, 2));
  vocabulary.pre = "gpt-2";
  EXPECT_THAT(Build(vocabulary)->Encode("\uac32"), ElementsAre(4));
}

TEST(EmbeddedVocabulary, GptNeoxComposesAndGpt2DoesNot) {
  EXPECT_THAT(Build(SmallGpt2("olmo"))->Encode("e\u0301"), ElementsAre(10, 11));
  EXPECT_THAT(Build(SmallGpt2("gpt-2"))->Encode("e\u0301"), IsEmpty());
}

TEST(EmbeddedVocabulary, ABeginningIsAddedWhereThePreTokenizerOrTheFileSaysSo) {
  EmbeddedVocabulary vocabulary = SmallGpt2("llama-bpe");
  vocabulary.types.assign(vocabulary.tokens.size(), EmbeddedVocabulary::kNormal);
  EXPECT_THAT(Build(vocabulary)->Encode("12"), ElementsAre(8, 3));
  vocabulary.adds_begin = false;
  EXPECT_THAT(Build(vocabulary)->Encode("12"), ElementsAre(3));
  vocabulary.pre = "gpt-2";
  vocabulary.adds_begin = true;
  EXPECT_THAT(Build(vocabulary)->Encode("12"), ElementsAre(8, 3));
}

TEST(EmbeddedVocabulary, UnknownKindsAndPreTokenizersAreNamedAndRefused) {
  EmbeddedVocabulary vocabulary = SmallGpt2("no-such");
  EXPECT_THAT(Failure(vocabulary),
              HasSubstr("unsupported: m.gguf: tokenizer.ggml.pre: unsupported "
                        "pre-tokenizer \"no-such\"; supported: gpt-neox, mpt"));
  EXPECT_THAT(Failure(SmallGpt2("")), HasSubstr("found none"));
  EXPECT_THAT(Failure(SmallGpt2("")), HasSubstr("--tokenizer FILE"));
  for (const char* other : {"granite", "kimi-k2", "deepseek-v3", "bailingmoe2", "Qwen2", "qwen2 "})
    EXPECT_THAT(Failure(SmallGpt2(other)),
                HasSubstr(fmt::format("unsupported pre-tokenizer \"{}\"", other)));
  vocabulary.kind = "bert";
  EXPECT_THAT(Failure(vocabulary), HasSubstr("unsupported kind \"bert\"; supported: gpt2, llama"));
}

TEST(EmbeddedVocabulary, ArraysThatContradictEachOtherAreCorrupt) {
  const auto broken = [](auto change) {
    LlamaArrays arrays = SmallLlama();
    change(arrays.vocabulary);
    return Failure(arrays.vocabulary);
  };
  EXPECT_THAT(broken([](auto& v) { v.scores.pop_back(); }), HasSubstr("14 tokens, found 13"));
  EXPECT_THAT(broken([](auto& v) { v.scores.clear(); }), HasSubstr("14 tokens, found 0"));
  EXPECT_THAT(broken([](auto& v) { v.types.push_back(1); }), HasSubstr("14 tokens, found 15"));
  EXPECT_THAT(broken([](auto& v) { v.types[3] = 7; }), HasSubstr("expected 1 to 6, found 7"));
  EXPECT_THAT(broken([](auto& v) { v.scores[4] = std::nan(""); }), HasSubstr("finite"));
  EXPECT_THAT(broken([](auto& v) { v.begin = 14; }), HasSubstr("below 14, found 14"));
  EXPECT_THAT(broken([](auto& v) { v.tokens[4] = "x"; }), HasSubstr("stands there twice"));
  EXPECT_THAT(broken([](auto& v) { v.tokens[4] = "\xff"; }), HasSubstr("expected UTF-8"));
  EXPECT_THAT(broken([](auto& v) { v.tokens.clear(); }), HasSubstr("found 0"));
  const std::string long_piece(513, 'y');
  EXPECT_THAT(broken([&](auto& v) { v.tokens[13] = long_piece; }), HasSubstr("at most 512 bytes"));
  for (const std::string_view merge : {"", "12", "1 9", "9 1", "3 1", "1 2 3"}) {
    EmbeddedVocabulary gpt2 = SmallGpt2("gpt-2");
    gpt2.merges.push_back(merge);
    EXPECT_THAT(Failure(gpt2), HasSubstr("corrupt: m.gguf: tokenizer.ggml.merges[4]")) << merge;
  }
}

TEST(EmbeddedVocabulary, TheFingerprintFollowsTheContent) {
  const Digest digest = Build(SmallLlama().vocabulary)->fingerprint();
  EXPECT_EQ(Build(SmallLlama().vocabulary)->fingerprint(), digest);
  LlamaArrays other = SmallLlama();
  other.vocabulary.scores[13] -= 1;
  EXPECT_NE(Build(other.vocabulary)->fingerprint(), digest);
  other = SmallLlama();
  other.vocabulary.adds_begin = true;
  EXPECT_NE(Build(other.vocabulary)->fingerprint(), digest);
}

}  // namespace
}  // namespace statelib::tokenizer
