// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <fstream>

#include "tests/core/tokenizer/small_tokenizer.h"

namespace statelib::tokenizer {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string RefusalOf(const std::string& text) {
  return ErrorOf([&] { Tokenizer::Parse(AsBytes(text), "tokenizer.json"); });
}

TEST(BrokenFile, NoJsonIsCorrupt) {
  for (const std::string& text : {std::string(), std::string("tokenizer"), std::string("{\"a\":"),
                                  std::string("\x89PNG\r\n"), std::string(5000, '[')})
    EXPECT_THAT(RefusalOf(text), StartsWith("corrupt: tokenizer.json: expected a JSON document"));
}

TEST(BrokenFile, OtherJsonIsCorrupt) {
  EXPECT_EQ(RefusalOf("[]"), "corrupt: tokenizer.json: expected an object, found an array");
  EXPECT_EQ(RefusalOf("{}"), "corrupt: tokenizer.json: the member \"model\" is missing");
  EXPECT_EQ(
      RefusalOf(R"({"version":"2.0"})"),
      "unsupported: tokenizer.json: expected version \"1.0\", found \"2.0\"; save it again as "
      "1.0");
}

TEST(BrokenFile, AnUnknownComponentIsNamedWithItsPlace) {
  SmallTokenizer small;
  small.pre_tokenizer = R"({"type":"Foo"})";
  EXPECT_EQ(RefusalOf(small.Text()),
            "unsupported: tokenizer.json: pre_tokenizer: unsupported type \"Foo\"; supported: "
            "ByteLevel, Digits, Metaspace, Punctuation, Sequence, Split");
  small = {};
  small.normalizer = R"({"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Foo"}]})";
  EXPECT_THAT(RefusalOf(small.Text()),
              StartsWith("unsupported: tokenizer.json: normalizer.normalizers[1]: unsupported type "
                         "\"Foo\""));
  small = {};
  small.decoder = R"({})";
  EXPECT_EQ(RefusalOf(small.Text()),
            "corrupt: tokenizer.json: decoder: the member \"type\" is missing");
  small = {};
  small.added_tokens = R"([{"id":"7","content":"x"}])";
  EXPECT_EQ(RefusalOf(small.Text()),
            "corrupt: tokenizer.json: added_tokens[0].id: expected an integer, found a string");
  small = {};
  small.model = R"({"type":"BPE","vocab":{"a":0},"merges":[["a","b"]]})";
  EXPECT_THAT(RefusalOf(small.Text()), HasSubstr("model.merges[0]: expected the right part"));
}

TEST(BrokenFile, CutAtEveryByteItIsRefusedOrNoWorse) {
  SmallTokenizer small;
  small.normalizer = R"({"type":"NFC"})";
  small.pre_tokenizer = R"({"type":"ByteLevel","add_prefix_space":false})";
  const std::string whole = small.Text();
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_THAT(RefusalOf(whole.substr(0, size)), StartsWith("corrupt:")) << size;
}

// Whatever a changed byte makes of the file: it loads or it is refused, and what loads works.
TEST(BrokenFile, WithAnyByteChangedItIsRefusedOrWorks) {
  SmallTokenizer small;
  small.added_tokens = R"([{"id":3,"content":"<s>","special":true}])";
  small.normalizer = R"({"type":"Replace","pattern":{"Regex":"\\s+"},"content":" "})";
  small.pre_tokenizer = R"({"type":"Split","pattern":{"Regex":"[ab]+"},"behavior":"Isolated"})";
  const std::string whole = small.Text();
  size_t loaded = 0;
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const char byte : {'\0', '"', '0', '9', '[', '}', ',', '\\', 'x', '\xFF'}) {
      std::string text = whole;
      text[at] = byte;
      try {
        const auto tokenizer = Tokenizer::Parse(AsBytes(text), "tokenizer.json");
        tokenizer->Decode(tokenizer->Encode("ab <s> ba\xFF"));
        ++loaded;
      } catch (const Error& error) {
        EXPECT_TRUE(error.kind() == ErrorKind::kCorrupt || error.kind() == ErrorKind::kUnsupported)
            << error.what();
      }
    }
  }
  EXPECT_GT(loaded, 0u);
}

TEST(BrokenFile, MessagesStayOneLineWhateverTheyQuote) {
  SmallTokenizer small;
  small.model = R"({"type":"BPE","vocab":{"a\nb":0},"merges":[]})";
  small.added_tokens = R"([{"id":0,"content":"c\n"}])";
  const std::string message = ErrorOf([&] { small.Build(); });
  EXPECT_NE(message.find("a\\nb"), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

}  // namespace
}  // namespace statelib::tokenizer
