// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/bpe.h"

#include "tests/core/tokenizer/small_tokenizer.h"

namespace statelib::tokenizer {
namespace {

Ids Encode(const std::string& model, std::string_view piece, bool as_bytes = false) {
  const ParsedJson json(model);
  Bpe::Workspace workspace;
  Ids ids;
  Bpe::FromJson(json.root()).Encode(piece, as_bytes, workspace, ids);
  return ids;
}

TEST(Bpe, MergesAreReadInBothForms) {
  const std::string vocab = R"("vocab":{"a":0,"b":1," ":2,"ab":3,"a ":4})";
  EXPECT_EQ(Encode(R"({"type":"BPE",)" + vocab + R"(,"merges":["a b"]})", "abba"), (Ids{3, 1, 0}));
  EXPECT_EQ(Encode(R"({"type":"BPE",)" + vocab + R"(,"merges":["#version: 0.2","a b"]})", "ab"),
            (Ids{3}));
  EXPECT_EQ(Encode(R"({"type":"BPE",)" + vocab + R"(,"merges":[["a","b"],["a"," "]]})", "a ab"),
            (Ids{4, 3}));
  EXPECT_EQ(Encode("{" + vocab + R"(,"merges":[]})", "ab"), (Ids{0, 1}));
}

TEST(Bpe, CharactersWithoutATokenVanishOrAreUnknown) {
  const std::string vocab = R"("vocab":{"a":0,"u":9},"merges":[])";
  EXPECT_EQ(Encode("{" + vocab + "}", "axya"), (Ids{0, 0}));
  EXPECT_EQ(Encode("{" + vocab + R"(,"unk_token":"u"})", "axya\u00e9"), (Ids{0, 9, 9, 0, 9}));
  EXPECT_EQ(Encode("{" + vocab + R"(,"unk_token":"u","fuse_unk":true})", "axya\u00e9"),
            (Ids{0, 9, 0, 9}));
}

TEST(Bpe, CharactersFallBackToBytesWhereAllTheirBytesAreTokens) {
  const std::string model =
      R"({"byte_fallback":true,"unk_token":"u","vocab":{"a":0,"u":9,"<0xC3>":1,"<0xA9>":2,"<0x0A>":3},)"
      R"("merges":[]})";
  EXPECT_EQ(Encode(model, "a\u00e9\n"), (Ids{0, 1, 2, 3}));
  EXPECT_EQ(Encode(model, "\u00e8a"), (Ids{9, 0}));  // C3 A8: no token for A8
}

TEST(Bpe, AWholePieceCanPassOverTheMerges) {
  const std::string vocab = R"("vocab":{"a":0,"b":1,"ab":2,"ba":3,"aba":4},"merges":["b a"])";
  EXPECT_EQ(Encode("{" + vocab + "}", "aba"), (Ids{0, 3}));
  EXPECT_EQ(Encode("{" + vocab + R"(,"ignore_merges":true})", "aba"), (Ids{4}));
  EXPECT_EQ(Encode("{" + vocab + R"(,"ignore_merges":true})", "abab"), (Ids{0, 3, 1}));
}

TEST(Bpe, BytesAreReadByTheirCharacters) {
  const std::string model =
      R"({"ignore_merges":true,"vocab":{"Ġ":0,"a":1,"Ã":2,"©":3,"Ġa":4,"aĠ":5},)"
      R"("merges":["Ġ a"]})";
  EXPECT_EQ(Encode(model, " a\u00e9", true), (Ids{4, 2, 3}));
  EXPECT_EQ(Encode(model, "a ", true), (Ids{5}));
  EXPECT_EQ(Encode(model, "Ġa", false), (Ids{4}));
}

TEST(Bpe, OptionsThatWouldChangeTheResultAreRefused) {
  const auto refusal = [](const std::string& option) {
    return ErrorOf([&] { Encode(R"({"type":"BPE","vocab":{},"merges":[],)" + option + "}", ""); });
  };
  EXPECT_EQ(refusal(R"("dropout":0.5)"),
            "unsupported: tokenizer.json: dropout: unsupported value 0.5; supported: null, 0");
  EXPECT_EQ(
      refusal(R"("end_of_word_suffix":"</w>")"),
      "unsupported: tokenizer.json: end_of_word_suffix: unsupported value \"</w>\"; supported: "
      "null");
  EXPECT_EQ(refusal(R"("continuing_subword_prefix":"##")"),
            "unsupported: tokenizer.json: continuing_subword_prefix: unsupported value \"##\"; "
            "supported: null");
  EXPECT_EQ(refusal(R"("dropout":null,"end_of_word_suffix":"","continuing_subword_prefix":null)"),
            "nothing was thrown");
  EXPECT_EQ(ErrorOf([] { Encode(R"({"type":"Unigram","vocab":[]})", ""); }),
            "unsupported: tokenizer.json: unsupported type \"Unigram\"; supported: BPE");
}

TEST(Bpe, BrokenVocabulariesAndMergesAreNamed) {
  const auto refusal = [](const std::string& members) {
    return ErrorOf([&] { Encode(R"({"type":"BPE",)" + members + "}", ""); });
  };
  EXPECT_EQ(refusal(R"("merges":[])"), "corrupt: tokenizer.json: the member \"vocab\" is missing");
  EXPECT_EQ(refusal(R"("vocab":{})"), "corrupt: tokenizer.json: the member \"merges\" is missing");
  EXPECT_EQ(refusal(R"("vocab":{"a":-1},"merges":[])"),
            "corrupt: tokenizer.json: vocab.a: expected an integer from 0 to 16777215, found -1");
  EXPECT_EQ(refusal(R"("vocab":{"a":16777216},"merges":[])"),
            "corrupt: tokenizer.json: vocab.a: expected an integer from 0 to 16777215, found "
            "16777216");
  EXPECT_EQ(
      refusal(R"("vocab":{"a":1,"b":1},"merges":[])"),
      "corrupt: tokenizer.json: vocab: expected one token for an id, found two with the id 1");
  EXPECT_EQ(refusal(R"("vocab":{"a":1,"a":2},"merges":[])"),
            "corrupt: tokenizer.json: vocab: the token \"a\" stands there twice");
  EXPECT_EQ(
      refusal(R"("vocab":{"a":1,"ab":2},"merges":["a b"])"),
      "corrupt: tokenizer.json: merges[0]: expected the right part of the merge \"a\" + \"b\" in "
      "the vocabulary, found no token \"b\"");
  EXPECT_EQ(
      refusal(R"("vocab":{"b":1,"ab":2},"merges":[["a","b"]])"),
      "corrupt: tokenizer.json: merges[0]: expected the left part of the merge \"a\" + \"b\" in "
      "the vocabulary, found no token \"a\"");
  EXPECT_EQ(
      refusal(R"("vocab":{"a":1,"b":2,"ab":3},"merges":["a b","b a"])"),
      "corrupt: tokenizer.json: merges[1]: expected the result of the merge \"b\" + \"a\" in the "
      "vocabulary, found no token \"ba\"");
  EXPECT_EQ(refusal(R"("vocab":{},"merges":["a b c"])"),
            "corrupt: tokenizer.json: merges[0]: expected two tokens with one space between, found "
            "\"a b c\"");
  EXPECT_EQ(refusal(R"("vocab":{},"merges":["ab"])"),
            "corrupt: tokenizer.json: merges[0]: expected two tokens with one space between, found "
            "\"ab\"");
  EXPECT_EQ(refusal(R"("vocab":{},"merges":[["a"]])"),
            "corrupt: tokenizer.json: merges[0]: expected two tokens, found 1");
  EXPECT_EQ(refusal(R"("vocab":{},"merges":[["a",1]])"),
            "corrupt: tokenizer.json: merges[0][1]: expected a string, found an integer");
  EXPECT_EQ(refusal(R"("vocab":[],"merges":[])"),
            "corrupt: tokenizer.json: vocab: expected an object, found an array");
  EXPECT_EQ(refusal(R"("vocab":{},"merges":[],"unk_token":"u")"),
            "corrupt: tokenizer.json: unk_token: expected a token of the vocabulary, found \"u\"");
}

TEST(Vocabulary, FindsWhatItHolds) {
  Vocabulary vocabulary;
  constexpr TokenId kTokens = 5000;
  for (TokenId id = 0; id < kTokens; ++id)
    EXPECT_TRUE(vocabulary.Add(fmt::format("token {}", id * 7919 % kTokens), kTokens - 1 - id));
  EXPECT_FALSE(vocabulary.Add("token 0", 6000));
  EXPECT_EQ(vocabulary.Seal(), std::nullopt);
  EXPECT_EQ(vocabulary.size(), static_cast<size_t>(kTokens));
  for (TokenId id = 0; id < kTokens; ++id) {
    const std::string text = fmt::format("token {}", id * 7919 % kTokens);
    EXPECT_EQ(vocabulary.Find(text), kTokens - 1 - id);
    EXPECT_EQ(vocabulary.Text(kTokens - 1 - id), text);
  }
  EXPECT_EQ(vocabulary.Find("token 5000"), std::nullopt);
  EXPECT_EQ(Vocabulary().Find(""), std::nullopt);
  EXPECT_EQ(Vocabulary().Text(0), std::nullopt);
}

}  // namespace
}  // namespace statelib::tokenizer
