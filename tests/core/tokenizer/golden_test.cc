// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include "core/tokenizer/stream_decoder.h"
#include "core/tokenizer/tokenizer.h"
#include "tests/core/tokenizer/golden_lines.h"
#include "tests/core/tokenizer/small_tokenizer.h"

namespace statelib::tokenizer {
namespace {

void ExpectGolden(const std::filesystem::path& tokenizer_json, const std::string& name,
                  size_t count) {
  const auto tokenizer = Tokenizer::Load(tokenizer_json);
  const std::vector<GoldenLine> lines = ReadGolden(name);
  ASSERT_EQ(lines.size(), count);
  constexpr size_t kShownMax = 5;
  size_t different = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    const Ids ids = tokenizer->Encode(lines[i].text);
    const std::string decoded = tokenizer->Decode(lines[i].ids);
    if (ids == lines[i].ids && decoded == lines[i].decoded) continue;
    if (++different > kShownMax) continue;
    EXPECT_EQ(ids, lines[i].ids) << name << " line " << i + 1 << ": " << lines[i].text;
    EXPECT_EQ(decoded, lines[i].decoded) << name << " line " << i + 1;
  }
  EXPECT_EQ(different, 0u) << "lines of " << lines.size();
}

TEST(Golden, EveryLineOfTheDemoTokenizerMatches) { ExpectGolden(DemoFile(), "demo.jsonl", 1535); }

TEST(Golden, EveryLineOfGptNeoxMatches) { ExpectGolden(GptNeoxFile(), "gpt-neox-20b.jsonl", 1535); }

// crosscheck_tokenizers.py says how each was made.
TEST(Golden, EveryLineOfTheSmallTokenizersMatches) {
  for (const char* kind : {"digits-individual", "falcon", "llama", "llama3", "metaspace-first",
                           "split-merged_with_next"}) {
    ExpectGolden(GoldenTokenizers() / fmt::format("{}.tokenizer.json", kind),
                 fmt::format("{}.jsonl", kind), 60);
  }
}

struct Vector {
  std::string text;
  Ids ids;
};

// GPT-NeoX-20B, worked out from its data file by the rules alone.
const std::vector<Vector>& GptNeoxVectors() {
  static const std::vector<Vector> vectors = {
      {"", {}},
      {"Hey how are you doing?", {8262, 849, 403, 368, 2509, 32}},
      {"Hello my name is", {12092, 619, 1416, 310}},
      {"Hello, world!", {12092, 13, 1533, 2}},
      {" hello", {23120}},
      {"  hello", {50276, 25521}},
      {"   hello", {50275, 25521}},
      {"\n    return x", {187, 50274, 2309, 1269}},
      {"a  b", {66, 50276, 67}},
      {std::string(24, ' ') + "x", {50254, 89}},
      {std::string(25, ' ') + "x", {50254, 1269}},
      {std::string(26, ' ') + "x", {50254, 50276, 89}},
      {std::string(50, ' '), {50254, 50254, 50276}},
      {std::string(25, ' '), {50254, 209}},
      {"x" + std::string(30, ' ') + "y", {89, 50254, 50272, 90}},
      {"x \n y", {89, 2490, 340}},
      {"\t\tx", {186, 186, 89}},
      {"it's I'LL can't'", {262, 434, 309, 8, 2293, 476, 626, 8}},
      {" 's x'''s", {686, 84, 1269, 35033, 84}},
      {"'S", {8, 52}},
      {"2024 12345", {938, 1348, 1249, 16767}},
      {"caf\u00e9", {68, 2320, 860}},
      {"cafe\u0301", {68, 2320, 860}},
      {"\u2126", {138, 104}},
      {"\ufb01", {46992, 212}},
      {"\u0939\u093f\u0928\u094d\u0926\u0940", {30598, 20489, 23068, 17665, 46175, 22224}},
      {"\u00bd\u00b2\u2460", {8313, 15818, 158, 228, 243}},
      {"a\u00a0b", {66, 575, 67}},
      {"a\u200bb", {66, 12882, 67}},
      {"\u4f60\u597d", {24553, 34439}},
      {"\U0001f600", {14931, 235, 211}},
      {"<|endoftext|>hi", {0, 5801}},
      {"hi <|endoftext|> hi", {5801, 209, 0, 14260}},
      {"\r\n\r\n", {15971}},
      {"x\n\n\ny", {89, 535, 187, 90}},
      {"def f(x):\n  return x\n", {1545, 269, 9, 89, 2262, 187, 50276, 2309, 1269, 187}},
      {"  hello  world  ", {50276, 25521, 50276, 10186, 50276}},
  };
  return vectors;
}

TEST(Golden, ReferenceVectorsOfGptNeoxMatch) {
  const auto tokenizer = Tokenizer::Load(GptNeoxFile());
  for (const Vector& vector : GptNeoxVectors())
    EXPECT_EQ(tokenizer->Encode(vector.text), vector.ids) << '"' << vector.text << '"';
}

TEST(Golden, TheVocabulariesAreAsTheFilesSay) {
  const auto neox = Tokenizer::Load(GptNeoxFile());
  EXPECT_EQ(neox->vocabulary_size(), 50277u);
  EXPECT_TRUE(neox->IsSpecial(0));
  EXPECT_TRUE(neox->IsSpecial(1));
  EXPECT_FALSE(neox->IsSpecial(2));
  EXPECT_FALSE(neox->IsSpecial(50276));
  EXPECT_EQ(neox->Find("<|endoftext|>"), 0);
  EXPECT_EQ(neox->Find("  "), 50276);
  EXPECT_EQ(neox->Find("\u0120hello"), 23120);
  EXPECT_EQ(neox->Find("no such token"), std::nullopt);
  EXPECT_EQ(neox->Content(23120), "\u0120hello");
  EXPECT_EQ(neox->Content(50277), std::nullopt);
  EXPECT_EQ(neox->Content(-1), std::nullopt);
  EXPECT_EQ(neox->BytesOf(23120), " hello");
  EXPECT_EQ(neox->BytesOf(50276), "  ");
  EXPECT_EQ(neox->BytesOf(50277), "");
  EXPECT_EQ(Tokenizer::Load(DemoFile())->vocabulary_size(), 8192u);
}

TEST(Golden, TheFingerprintIsTheHashOfTheFile) {
  std::ifstream file(DemoFile(), std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(Tokenizer::Load(DemoFile())->fingerprint(), HashOf(AsBytes(text)));
  EXPECT_NE(Tokenizer::Load(GptNeoxFile())->fingerprint(), HashOf(AsBytes(text)));
}

}  // namespace
}  // namespace statelib::tokenizer
