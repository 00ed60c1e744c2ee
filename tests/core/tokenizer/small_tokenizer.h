// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_CORE_TOKENIZER_SMALL_TOKENIZER_H_
#define STATELIB_TESTS_CORE_TOKENIZER_SMALL_TOKENIZER_H_

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/tokenizer/tokenizer.h"

namespace statelib::tokenizer {

inline std::filesystem::path GptNeoxFile() {
  return std::filesystem::path(STATELIB_SOURCE_DIR) /
         "examples/tokenizers/gpt-neox-20b/tokenizer.json";
}

inline std::filesystem::path DemoFile() {
  return std::filesystem::path(STATELIB_SOURCE_DIR) / "examples/models/demo/tokenizer.json";
}

/// A tokenizer.json in parts, each the JSON text of one member.
struct SmallTokenizer {
  std::string added_tokens = "[]";
  std::string normalizer = "null";
  std::string pre_tokenizer = "null";
  std::string post_processor = "null";
  std::string decoder = R"({"type":"Fuse"})";
  std::string model = R"({"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]})";

  std::string Text() const {
    return fmt::format(R"({{"version":"1.0","added_tokens":{},"normalizer":{},"pre_tokenizer":{},)"
                       R"("post_processor":{},"decoder":{},"model":{}}})",
                       added_tokens, normalizer, pre_tokenizer, post_processor, decoder, model);
  }
  std::unique_ptr<Tokenizer> Build() const {
    return Tokenizer::Parse(AsBytes(Text()), "tokenizer.json");
  }
};

using Ids = std::vector<TokenId>;

/// "kind: message" of the Error that `act` throws.
inline std::string ErrorOf(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return fmt::format("{}: {}", NameOf(error.kind()), error.what());
  }
  return "nothing was thrown";
}

/// A JSON document whose root stays readable while this lives.
class ParsedJson {
 public:
  explicit ParsedJson(const std::string& text)
      : document_(JsonDocument::Parse(AsBytes(text), "tokenizer.json")) {}
  JsonValue root() const { return document_.root(); }

 private:
  JsonDocument document_;
};

}  // namespace statelib::tokenizer

#endif  // STATELIB_TESTS_CORE_TOKENIZER_SMALL_TOKENIZER_H_
