// SPDX-License-Identifier: Apache-2.0
#include "core/engine/tokenizer_finder.h"

#include <gmock/gmock.h>

#include "core/base/error.h"
#include "core/engine/runtime.h"
#include "tests/core/checkpoint/gguf_builder.h"
#include "tests/core/engine/tiny_models.h"
#include "tests/core/tokenizer/golden_lines.h"
#include "tests/temporary_directory.h"

namespace statelib::engine {
namespace {

using checkpoint::Checkpoint;
using checkpoint::GgufBuilder;
using checkpoint::GgufType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::filesystem::path kShipped =
    std::filesystem::path(STATELIB_SOURCE_DIR) / "examples/tokenizers";
const std::filesystem::path kNeoxFile = kShipped / "gpt-neox-20b/tokenizer.json";

std::string Failure(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return std::string(NameOf(error.kind())) + ": " + error.what();
  }
  return "";
}

TEST(TokenizerFinder, GptNeoxIsFoundByItsPaddedVocabularySize) {
  const auto original = Checkpoint::Open(GoldenFolder("mamba_original"));
  for (const int64_t rows : {50277, 50280, 50288, 50304}) {
    EXPECT_EQ(FindTokenizer(*original, rows, {"", kShipped}).path, kNeoxFile) << rows;
  }
  for (const int64_t rows : {160, 50276, 50278, 50281, 50296, 50432}) {
    EXPECT_THAT(Failure([&] {
                  FindTokenizer(*original, rows, {"", kShipped});
                }),
                HasSubstr("not_found: "))
        << rows;
  }
}

TEST(TokenizerFinder, WithoutOneTheMessageNamesTheOption) {
  const auto original = Checkpoint::Open(GoldenFolder("mamba_original"));
  EXPECT_THAT(Failure([&] {
                FindTokenizer(*original, 160, {"", kShipped});
              }),
              HasSubstr("mamba_original: no tokenizer: the model carries none, and none of those "
                        "that come with statelib fits its 160 tokens; name a tokenizer.json with "
                        "--tokenizer FILE"));
  EXPECT_THAT(Failure([&] { FindTokenizer(*original, 50280, {}); }), HasSubstr("--tokenizer FILE"));
}

TEST(TokenizerFinder, TheGivenOneGoesBeforeTheModelsOwn) {
  const auto demo = Checkpoint::Open(DemoModel());
  EXPECT_EQ(FindTokenizer(*demo, 50280, {kNeoxFile, ""}).path, kNeoxFile);
  EXPECT_EQ(FindTokenizer(*demo, 50280, {"", kShipped}).path, DemoModel() / "tokenizer.json");
  EXPECT_THAT(Failure([&] {
                FindTokenizer(*demo, 8192, {kNeoxFile, ""});
              }),
              HasSubstr("mismatch: "));
  EXPECT_THAT(Failure([&] {
                FindTokenizer(*demo, 8192, {"/no/such/file", ""});
              }),
              HasSubstr("not_found: "));
}

TEST(TokenizerFinder, AGivenTokenizerChangesTheModelsFingerprint) {
  const TemporaryDirectory folder;
  std::filesystem::copy_file(DemoModel() / "tokenizer.json", folder.path() / "own.json");
  folder.Write("other.json",
               R"({"version":"1.0","model":{"type":"BPE","vocab":{"a":0},"merges":[]}})");
  RuntimeOptions options;
  options.tokenizer.given = folder.path() / "own.json";
  const auto own = Runtime::Open(DemoModel(), options);
  EXPECT_EQ(own->tokenizer_path(), options.tokenizer.given);
  EXPECT_EQ(own->ComputeFingerprint(), Runtime::Open(DemoModel(), {})->ComputeFingerprint());
  options.tokenizer.given = folder.path() / "other.json";
  EXPECT_NE(Runtime::Open(DemoModel(), options)->ComputeFingerprint(), own->ComputeFingerprint());
}

/// A GGUF file of a small model, with a tokenizer of `kind`.
std::string GgufWithTokenizer(std::string_view kind) {
  std::string tokens, scores, types;
  for (const char* token : {"<unk>", "<s>", "</s>", "▁", "a", "▁a"}) {
    scores += checkpoint::Raw(-static_cast<float>(scores.size()));
    types += checkpoint::Raw(static_cast<int32_t>(types.empty() ? 2 : token[0] == '<' ? 3 : 1));
    tokens += GgufBuilder::Text(token);
  }
  GgufBuilder builder;
  builder.String("general.architecture", "mamba")
      .U32("mamba.embedding_length", 4)
      .U32("mamba.block_count", 1)
      .U32("mamba.ssm.conv_kernel", 4)
      .U32("mamba.ssm.inner_size", 8)
      .U32("mamba.ssm.state_size", 2)
      .U32("mamba.ssm.time_step_rank", 3)
      .F32("mamba.attention.layer_norm_rms_epsilon", 1e-5f)
      .U32("tokenizer.ggml.bos_token_id", 1)
      .U32("tokenizer.ggml.eos_token_id", 2)
      .Value("tokenizer.ggml.add_eos_token", GgufType::kBool, std::string(1, '\1'))
      .Array("tokenizer.ggml.tokens", GgufType::kString, 6, tokens)
      .Array("tokenizer.ggml.scores", GgufType::kF32, 6, scores)
      .Array("tokenizer.ggml.token_type", GgufType::kI32, 6, types)
      .Tensor("token_embd.weight", {4, 6}, 0, std::string(96, '\0'));
  if (!kind.empty()) builder.String("tokenizer.ggml.model", kind);
  return builder.Build();
}

TEST(TokenizerFinder, AGgufFilesOwnIsBuiltFromItsArrays) {
  const TemporaryDirectory folder;
  folder.Write("m.gguf", GgufWithTokenizer("llama"));
  const auto file = Checkpoint::Open(folder.path() / "m.gguf");
  const FoundTokenizer found = FindTokenizer(*file, 6, {"", kShipped});
  EXPECT_EQ(found.path, folder.path() / "m.gguf");
  EXPECT_THAT(found.tokenizer->Encode("a"), ElementsAre(1, 5, 2));
  EXPECT_EQ(FindTokenizer(*file, 50280, {kNeoxFile, ""}).path, kNeoxFile);
  folder.Write("same.gguf", GgufWithTokenizer("llama"));
  const auto same = Checkpoint::Open(folder.path() / "same.gguf");
  EXPECT_EQ(FindTokenizer(*same, 6, {}).tokenizer->fingerprint(), found.tokenizer->fingerprint());
}

TEST(TokenizerFinder, AGgufFilesPiecesReadEveryGoldenLineAsSentencePieceDoes) {
  const auto file = Checkpoint::Open(tokenizer::GoldenTokenizers() / "sentencepiece.gguf");
  const auto found = FindTokenizer(*file, 1 << 20, {}).tokenizer;
  const std::vector<tokenizer::GoldenLine> lines = tokenizer::ReadGolden("sentencepiece.jsonl");
  ASSERT_GT(lines.size(), 50u);
  for (const tokenizer::GoldenLine& line : lines) {
    EXPECT_EQ(found->Encode(line.text), line.ids) << line.text;
    EXPECT_EQ(found->Decode(line.ids), line.decoded) << line.text;
  }
}

TEST(TokenizerFinder, AGgufFileOfAnotherKindIsRefusedAndOneWithoutIsAsAFolderWithout) {
  const TemporaryDirectory folder;
  folder.Write("rwkv.gguf", GgufWithTokenizer("rwkv"));
  const auto rwkv = Checkpoint::Open(folder.path() / "rwkv.gguf");
  EXPECT_THAT(Failure([&] {
                FindTokenizer(*rwkv, 50280, {"", kShipped});
              }),
              HasSubstr("unsupported kind \"rwkv\""));
  for (const char* kind : {"", "none", "no_vocab"}) {
    folder.Write("none.gguf", GgufWithTokenizer(kind));
    const auto none = Checkpoint::Open(folder.path() / "none.gguf");
    EXPECT_EQ(FindTokenizer(*none, 50280, {"", kShipped}).path, kNeoxFile);
    EXPECT_THAT(Failure([&] {
                  FindTokenizer(*none, 6, {"", kShipped});
                }),
                HasSubstr("--tokenizer FILE"));
  }
}

}  // namespace
}  // namespace statelib::engine
