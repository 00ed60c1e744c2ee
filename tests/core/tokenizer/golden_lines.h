// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_CORE_TOKENIZER_GOLDEN_LINES_H_
#define STATELIB_TESTS_CORE_TOKENIZER_GOLDEN_LINES_H_

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/core/tokenizer/small_tokenizer.h"

namespace statelib::tokenizer {

/// A text with what the published library made of it.
struct GoldenLine {
  std::string text;
  Ids ids;
  std::string decoded;
};

inline std::filesystem::path GoldenTokenizers() {
  return std::filesystem::path(STATELIB_SOURCE_DIR) / "tests/golden/tokenizer";
}

inline std::vector<GoldenLine> ReadGolden(const std::string& name) {
  std::vector<GoldenLine> lines;
  std::ifstream file(GoldenTokenizers() / name);
  for (std::string line; std::getline(file, line);) {
    const ParsedJson json(line);
    GoldenLine& golden = lines.emplace_back();
    golden.text = json.root()["text"].String();
    golden.decoded = json.root()["decoded"].String();
    json.root()["ids"].ForEach([&](const JsonValue& id) {
      golden.ids.push_back(static_cast<TokenId>(id.Int(0, 1 << 20)));
    });
  }
  return lines;
}

}  // namespace statelib::tokenizer

#endif  // STATELIB_TESTS_CORE_TOKENIZER_GOLDEN_LINES_H_
