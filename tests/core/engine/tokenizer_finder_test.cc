// SPDX-License-Identifier: Apache-2.0
#include "core/engine/tokenizer_finder.h"

#include <gmock/gmock.h>

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/engine/runtime.h"
#include "core/model/architectures.h"
#include "core/model_files/statelib_model.h"
#include "tests/core/engine/tiny_models.h"
#include "tests/core/model_files/gguf_builder.h"
#include "tests/core/tokenizer/golden_lines.h"
#include "tests/temporary_directory.h"

namespace statelib::engine {
namespace {

using model_files::GgufBuilder;
using model_files::GgufType;
using model_files::ModelFiles;
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
  const auto original = model::OpenModelFiles(GoldenFolder("mamba_original"));
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
  const auto original = model::OpenModelFiles(GoldenFolder("mamba_original"));
  EXPECT_THAT(Failure([&] {
                FindTokenizer(*original, 160, {"", kShipped});
              }),
              HasSubstr("mamba_original: no tokenizer: the model carries none, and none of those "
                        "that come with statelib fits its 160 tokens; name a tokenizer.json with "
                        "--tokenizer FILE"));
  EXPECT_THAT(Failure([&] { FindTokenizer(*original, 50280, {}); }), HasSubstr("--tokenizer FILE"));
}

TEST(TokenizerFinder, TheGivenOneGoesBeforeTheModelsOwn) {
  const auto demo = model::OpenModelFiles(DemoModel());
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
    scores += model_files::Raw(-static_cast<float>(scores.size()));
    types += model_files::Raw(static_cast<int32_t>(types.empty() ? 2 : token[0] == '<' ? 3 : 1));
    tokens += GgufBuilder::Text(token);
  }
  GgufBuilder builder = model_files::SmallMamba();
  builder.U32("tokenizer.ggml.bos_token_id", 1)
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
  const auto file = model::OpenModelFiles(folder.path() / "m.gguf");
  const FoundTokenizer found = FindTokenizer(*file, 6, {"", kShipped});
  EXPECT_EQ(found.path, folder.path() / "m.gguf");
  EXPECT_THAT(found.tokenizer->Encode("a"), ElementsAre(1, 5, 2));
  EXPECT_EQ(FindTokenizer(*file, 50280, {kNeoxFile, ""}).path, kNeoxFile);
  folder.Write("same.gguf", GgufWithTokenizer("llama"));
  const auto same = model::OpenModelFiles(folder.path() / "same.gguf");
  EXPECT_EQ(FindTokenizer(*same, 6, {}).tokenizer->fingerprint(), found.tokenizer->fingerprint());
}

TEST(TokenizerFinder, AGgufFilesPiecesReadEveryGoldenLineAsSentencePieceDoes) {
  const auto file = model::OpenModelFiles(tokenizer::GoldenTokenizers() / "sentencepiece.gguf");
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
  const auto rwkv = model::OpenModelFiles(folder.path() / "rwkv.gguf");
  EXPECT_THAT(Failure([&] {
                FindTokenizer(*rwkv, 50280, {"", kShipped});
              }),
              HasSubstr("unsupported kind \"rwkv\""));
  for (const char* kind : {"", "none", "no_vocab"}) {
    folder.Write("none.gguf", GgufWithTokenizer(kind));
    const auto none = model::OpenModelFiles(folder.path() / "none.gguf");
    EXPECT_EQ(FindTokenizer(*none, 50280, {"", kShipped}).path, kNeoxFile);
    EXPECT_THAT(Failure([&] {
                  FindTokenizer(*none, 6, {"", kShipped});
                }),
                HasSubstr("--tokenizer FILE"));
  }
}

/// A GGUF file of a small model with GPT-NeoX's tokens and merges as converters wrote them before
/// pre-tokenizers had names; `token` stands at the id 1000.
std::string GgufWithNeoxTokens(std::string_view token, std::string_view pre = "",
                               size_t rows = 50280) {
  const auto neox = tokenizer::Tokenizer::Load(kNeoxFile);
  std::string tokens, types;
  for (size_t id = 0; id < rows; ++id) {
    const auto text = neox->Content(static_cast<TokenId>(id));
    tokens += GgufBuilder::Text(id == 1000 && !token.empty() ? token
                                : text                       ? *text
                                                             : fmt::format("[PAD{}]", id));
    types += model_files::Raw(int32_t{text ? 1 : 4});
  }
  GgufBuilder builder = model_files::SmallMamba();
  builder.String("tokenizer.ggml.model", "gpt2")
      .Array("tokenizer.ggml.tokens", GgufType::kString, rows, tokens)
      .Array("tokenizer.ggml.token_type", GgufType::kI32, rows, types)
      .Array("tokenizer.ggml.merges", GgufType::kString, 1, GgufBuilder::Text("t h"))
      .Tensor("token_embd.weight", {4, 6}, 0, std::string(96, '\0'));
  if (!pre.empty()) builder.String("tokenizer.ggml.pre", pre);
  return builder.Build();
}

TEST(TokenizerFinder, AGgufFileWithoutAPreTokenizerIsGptNeoxsWhereItsTokensAre) {
  const TemporaryDirectory folder;
  folder.Write("neox.gguf", GgufWithNeoxTokens(""));
  const auto file = model::OpenModelFiles(folder.path() / "neox.gguf");
  const FoundTokenizer found = FindTokenizer(*file, 50280, {"", kShipped});
  EXPECT_EQ(found.path, kNeoxFile);
  EXPECT_THAT(found.tokenizer->Encode("Hello, world!"), ElementsAre(12092, 13, 1533, 2));
  EXPECT_EQ(OpenTokenizerFile({folder.path() / "neox.gguf", kShipped}).path, kNeoxFile);
  // One that names its pre-tokenizer is taken at its word.
  folder.Write("named.gguf", GgufWithNeoxTokens("", "gpt-2"));
  const auto named = model::OpenModelFiles(folder.path() / "named.gguf");
  EXPECT_EQ(FindTokenizer(*named, 50280, {"", kShipped}).path, folder.path() / "named.gguf");
}

TEST(TokenizerFinder, AGgufFileWithoutAPreTokenizerAndWithOtherTokensIsRefused) {
  const TemporaryDirectory folder;
  folder.Write("other.gguf", GgufWithNeoxTokens("other"));  // of the same size
  folder.Write("fewer.gguf", GgufWithNeoxTokens("", "", 50276));
  folder.Write("same.gguf", GgufWithNeoxTokens(""));
  const auto failure = [&](const char* name, const std::filesystem::path& shipped) {
    const auto file = model::OpenModelFiles(folder.path() / name);
    return Failure([&] { FindTokenizer(*file, 50280, {"", shipped}); });
  };
  const std::string none =
      "expected the name of a pre-tokenizer under tokenizer.ggml.pre, found none, and the "
      "vocabulary is not GPT-NeoX's; convert the model again with a newer llama.cpp, or name its "
      "tokenizer.json with --tokenizer FILE";
  EXPECT_EQ(failure("other.gguf", kShipped),
            "unsupported: " + (folder.path() / "other.gguf").string() + ": " + none);
  EXPECT_THAT(failure("fewer.gguf", kShipped), HasSubstr(none));
  EXPECT_THAT(failure("same.gguf", {}), HasSubstr("found none"));
}

TEST(TokenizerFinder, TheGivenFileMayBeAnyModelsGgufOrModelFile) {
  const TemporaryDirectory folder;
  const auto original = model::OpenModelFiles(GoldenFolder("mamba_original"));
  const std::filesystem::path pieces = tokenizer::GoldenTokenizers() / "sentencepiece.gguf";
  const FoundTokenizer found = FindTokenizer(*original, 1 << 20, {pieces, ""});
  EXPECT_EQ(found.path, pieces);
  EXPECT_EQ(found.tokenizer->fingerprint(),
            FindTokenizer(*model::OpenModelFiles(pieces), 1 << 20, {}).tokenizer->fingerprint());
  const auto demo = tokenizer::Tokenizer::Load(DemoModel() / "tokenizer.json");
  const Bytes json = FileSystem::Real().ReadFile(DemoModel() / "tokenizer.json", 1 << 24);
  folder.Write("whole.gguf",
               GgufBuilder().String("tokenizer.huggingface.json", AsText(json)).Build());
  EXPECT_EQ(OpenTokenizerFile({folder.path() / "whole.gguf", ""}).tokenizer->fingerprint(),
            demo->fingerprint());
  model_files::WriteStatelibModel(FileSystem::Real(), folder.path() / "m.model", {}, "{}",
                                  std::string(AsText(json)));
  EXPECT_EQ(OpenTokenizerFile({folder.path() / "m.model", ""}).tokenizer->fingerprint(),
            demo->fingerprint());
  folder.Write("none.gguf", GgufBuilder().String("general.architecture", "mamba").Build());
  EXPECT_THAT(Failure([&] {
                OpenTokenizerFile({folder.path() / "none.gguf", kShipped});
              }),
              HasSubstr("not_found: "));
}

TEST(TokenizerFinder, AWrongFileIsToldByWhatItIs) {
  const TemporaryDirectory folder;
  struct Case {
    const char* name;
    std::string content;
    const char* what;
  };
  const std::vector<Case> cases = {
      {"tokenizer_config.json", R"({"tokenizer_class": "PreTrainedTokenizerFast"})",
       "a tokenizer_config.json, which has no vocabulary"},
      {"special_tokens_map.json", R"({"eos_token": "</s>"})", "a special_tokens_map.json"},
      {"generation_config.json", R"({"eos_token_id": 0})", "a generation_config.json"},
      {"config.json", R"({"model_type": "mamba", "eos_token_id": 0})", "a model's config.json"},
      {"vocab.json", R"({"a": 0, "model": 1})", "a vocab.json, which has tokens without"},
      {"model.safetensors.index.json", R"({"weight_map": {}})", "the index of a model's weights"},
      {"list.json", "[1]", "JSON that is no object"},
      {"other.json", R"({"a": "b"})", "a JSON file without the member \"model\""},
      {"vocab.txt", "[PAD]\n[UNK]\nthe\n", "text, as a vocab.txt has"},
      {"merges.txt", "#version: 0.2\nt h\n", "a merges.txt, which has merges without"},
      {"tokenizer.model", std::string("\x0a\x0e\x0a\x05<unk>\x15\0\0\0\0\x18\x02", 16),
       "a SentencePiece model (tokenizer.model)"},
      {"pytorch_model.bin", std::string("PK\x03\x04\0\0", 6), "a zip archive"},
      {"old.bin", "\x80\x02}", "a pickle"},
      {"pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
       "a git-lfs pointer"},
      {"empty", "", "an empty file"},
  };
  for (const Case& c : cases) {
    const std::filesystem::path path = folder.Write(c.name, c.content);
    const std::string failure = Failure([&] { OpenTokenizerFile({path, kShipped}); });
    EXPECT_THAT(failure, HasSubstr("invalid_argument: " + path.string() +
                                   ": expected a tokenizer.json or a GGUF file, found " + c.what));
    EXPECT_THAT(failure, HasSubstr("name the tokenizer.json"));
  }
  const auto failure = [&](const std::filesystem::path& path) {
    return Failure([&] { OpenTokenizerFile({path, kShipped}); });
  };
  EXPECT_THAT(failure(GoldenFolder("mamba") / "model.safetensors"),
              HasSubstr("found weights (safetensors)"));
  EXPECT_THAT(failure(folder.path()), HasSubstr("found a folder; name the tokenizer.json"));
  EXPECT_THAT(failure(DemoModel()),
              HasSubstr("found a folder; name " + (DemoModel() / "tokenizer.json").string()));
  EXPECT_THAT(failure(DemoModel() / "config.json"),
              HasSubstr("config.json; name " + (DemoModel() / "tokenizer.json").string()));
}

TEST(TokenizerFinder, ABrokenTokenizerIsToldByItsReader) {
  const TemporaryDirectory folder;
  const auto failure = [&](const char* content) {
    const std::filesystem::path path = folder.Write("tokenizer.json", content);
    return Failure([&] { OpenTokenizerFile({path, kShipped}); });
  };
  EXPECT_THAT(failure(R"({"model": {"type": "Unigram", "vocab": {}}})"), HasSubstr("Unigram"));
  EXPECT_THAT(failure(R"({"version": "1.0")"), HasSubstr("corrupt: "));
  EXPECT_THAT(failure("\x01\x02"), HasSubstr("corrupt: "));
}

}  // namespace
}  // namespace statelib::engine
