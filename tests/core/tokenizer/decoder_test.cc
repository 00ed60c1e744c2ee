// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/decoder.h"

#include "core/base/utf8.h"
#include "core/tokenizer/post_processor.h"
#include "tests/core/tokenizer/small_tokenizer.h"

namespace statelib::tokenizer {
namespace {

class Collect final : public TextSink {
 public:
  explicit Collect(std::string& text) : text_(text) {}
  void Push(std::string_view part) override {
    EXPECT_EQ(ValidPrefixLength(part), part.size());
    text_ += part;
  }
  void Flush() override {}

 private:
  std::string& text_;
};

std::string Decode(const Decoder& decoder, const std::vector<std::string>& tokens) {
  std::string text;
  const auto run = decoder.Start(std::make_unique<Collect>(text));
  for (const std::string& token : tokens) run->Push(token);
  run->Flush();
  return text;
}

std::string Decode(const std::optional<std::string>& json, const std::vector<std::string>& tokens) {
  std::optional<ParsedJson> parsed;
  if (json) parsed.emplace(*json);
  return Decode(Decoder::FromJson(parsed ? std::optional(parsed->root()) : std::nullopt), tokens);
}

std::string Sequence(const std::string& parts) {
  return R"({"type":"Sequence","decoders":[)" + parts + "]}";
}

TEST(Decoder, WithoutOneTokensStandApart) {
  EXPECT_EQ(Decode(std::nullopt, {"a", "b", "", "c"}), "a b  c");
  EXPECT_EQ(Decode(std::nullopt, {}), "");
}

TEST(Decoder, ByteLevelReadsBytesAcrossTokens) {
  const std::string json = R"({"type":"ByteLevel"})";
  EXPECT_EQ(Decode(json, {"a\u0120", "\u00c3", "\u00a9", "b"}), "a \u00e9b");
  EXPECT_EQ(Decode(json, {"\u00c3", "b", "\u00c3"}), "\uFFFDb\uFFFD");
  EXPECT_EQ(Decode(json, {"  ", "\u4f60\u0120"}), "  \u4f60\u0120");
}

TEST(Decoder, ByteFallbackJoinsRunsOfBytes) {
  const std::string json = R"({"type":"ByteFallback"})";
  EXPECT_EQ(Decode(json, {"a", "<0xC3>", "<0xA9>", "b"}), "a\u00e9b");
  EXPECT_EQ(Decode(json, {"<0x61>", "<0xC3>", "b"}), "\uFFFD\uFFFDb");
  EXPECT_EQ(Decode(json, {"<0xE4>", "<0xBD>", "<0xA0>"}), "\u4f60");
  EXPECT_EQ(Decode(json, {"<0xE4>"}), "\uFFFD");
  EXPECT_EQ(Decode(json, {"<0xGG>", "<0x1>", "<0x123>"}), "<0xGG><0x1><0x123>");
}

TEST(Decoder, PiecesKeepWhatIsWholeInARunOfBytes) {
  const Decoder pieces = Decoder::OfPieces(true);
  EXPECT_EQ(Decode(pieces, {"▁a▁", "<0xC3>", "<0xA9>", "b"}), "a \u00e9b");
  EXPECT_EQ(Decode(pieces, {"<0x61>", "<0xC3>", "b"}), "a\uFFFDb");
  EXPECT_EQ(Decode(pieces, {"<0xA0>", "<0xE4>", "<0xBD>", "<0xA0>", "<0xE4>", "<0xBD>"}),
            "\uFFFD\u4f60\uFFFD\uFFFD");
  EXPECT_EQ(Decode(pieces, {"<0xE4>", "<0xBD>", "<0x61>"}), "\uFFFD\uFFFDa");
  EXPECT_EQ(Decode(Decoder::OfPieces(false), {"▁a", "▁▁b"}), " a  b");
  EXPECT_EQ(pieces.BytesOf("<0xE4>"), "\xE4");
}

TEST(Decoder, ReplaceAndStripSeeSingleTokensBeforeFuse) {
  const std::string strip = R"({"type":"Strip","content":" ","start":1,"stop":2})";
  EXPECT_EQ(Decode(strip, {"  a   ", " ", "b"}), " a b");
  const std::string replace = R"({"type":"Replace","pattern":{"String":"aa"},"content":"x"})";
  EXPECT_EQ(Decode(replace, {"aaa", "a"}), "xaa");
}

TEST(Decoder, StripBehindFuseSeesTheText) {
  const auto fused = [](int start, int stop) {
    return Sequence(fmt::format(
        R"({{"type":"Fuse"}},{{"type":"Strip","content":" ","start":{},"stop":{}}})", start, stop));
  };
  EXPECT_EQ(Decode(fused(1, 0), {" ", " a", " b"}), " a b");
  EXPECT_EQ(Decode(fused(3, 0), {" ", " a", " b"}), "a b");
  EXPECT_EQ(Decode(fused(0, 2), {"a ", " b ", " ", " "}), "a  b ");
  EXPECT_EQ(Decode(fused(1, 1), {" "}), "");
  EXPECT_EQ(Decode(fused(0, 0), {" a "}), " a ");
}

TEST(Decoder, MetaspaceDropsTheMarkOfTheFirstToken) {
  const auto metaspace = [](const std::string& scheme) {
    return fmt::format(R"({{"type":"Metaspace","replacement":"▁","prepend_scheme":"{}"}})", scheme);
  };
  EXPECT_EQ(Decode(metaspace("always"), {"▁a", "▁b▁"}), "a b ");
  EXPECT_EQ(Decode(metaspace("first"), {"▁a", "▁b"}), "a b");
  EXPECT_EQ(Decode(metaspace("never"), {"▁a", "▁b"}), " a b");
}

TEST(Decoder, SentencePiecesSequenceGivesText) {
  const std::string json = Sequence(
      R"({"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},)"
      R"({"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0})");
  EXPECT_EQ(Decode(json, {"▁Hi", "▁", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>", "!"}),
            "Hi \U0001f600!");
}

TEST(Decoder, UnknownTypesAndOrdersAreRefused) {
  EXPECT_EQ(ErrorOf([] { Decode(R"({"type":"WordPiece"})", {}); }),
            "unsupported: tokenizer.json: unsupported type \"WordPiece\"; supported: ByteFallback, "
            "ByteLevel, Fuse, Metaspace, Replace, Sequence, Strip");
  EXPECT_EQ(ErrorOf([] { Decode(Sequence(R"({"type":"Fuse"},{"type":"ByteFallback"})"), {}); }),
            "unsupported: tokenizer.json: decoders[1]: the decoder ByteFallback stands behind one "
            "that joins tokens; supported there: Fuse, Strip");
  EXPECT_EQ(ErrorOf([] { Decode(R"({"type":"Strip","content":"ab","start":0,"stop":0})", {}); }),
            "corrupt: tokenizer.json: content: expected one character, found \"ab\"");
  EXPECT_EQ(ErrorOf([] { Decode(R"({"type":"Strip","content":"a","start":-1,"stop":0})", {}); }),
            "corrupt: tokenizer.json: start: expected an unsigned integer, found an integer");
}

PostProcessor Post(const std::string& json) {
  const ParsedJson parsed(json);
  return PostProcessor::FromJson(parsed.root());
}

std::string Template(const std::string& single) {
  return R"({"type":"TemplateProcessing","single":[)" + single +
         R"(],"special_tokens":{"<s>":{"ids":[1]},"</s>":{"ids":[2,3]}}})";
}

constexpr const char* kText = R"({"Sequence":{"id":"A","type_id":0}})";

TEST(PostProcessor, ATemplateStandsAroundTheText) {
  const PostProcessor both = Post(Template(fmt::format(
      R"({{"SpecialToken":{{"id":"<s>"}}}},{},{{"SpecialToken":{{"id":"</s>"}}}})", kText)));
  EXPECT_EQ(both.before, (Ids{1}));
  EXPECT_EQ(both.after, (Ids{2, 3}));
  const PostProcessor none = Post(R"({"type":"ByteLevel","trim_offsets":true})");
  EXPECT_TRUE(none.before.empty() && none.after.empty());
}

TEST(PostProcessor, TemplatesInASequenceStandAroundEachOther) {
  const std::string inner =
      Template(fmt::format(R"({{"SpecialToken":{{"id":"</s>"}}}},{})", kText));
  const std::string outer = Template(fmt::format(R"({{"SpecialToken":{{"id":"<s>"}}}},{})", kText));
  const PostProcessor both = Post(R"({"type":"Sequence","processors":[{"type":"ByteLevel"},)" +
                                  inner + "," + outer + "]}");
  EXPECT_EQ(both.before, (Ids{1, 2, 3}));
}

TEST(PostProcessor, WhatItCannotDoIsRefused) {
  EXPECT_EQ(
      ErrorOf([] { Post(R"({"type":"BertProcessing"})"); }),
      "unsupported: tokenizer.json: unsupported type \"BertProcessing\"; supported: ByteLevel, "
      "Sequence, TemplateProcessing");
  EXPECT_EQ(
      ErrorOf([] { Post(Template("")); }),
      "unsupported: tokenizer.json: single: expected the text once in the template, found it 0 "
      "times");
  EXPECT_EQ(ErrorOf([] { Post(Template(R"({"SpecialToken":{"id":"<x>"}})")); }),
            "corrupt: tokenizer.json: special_tokens: the member \"<x>\" is missing");
}

}  // namespace
}  // namespace statelib::tokenizer
