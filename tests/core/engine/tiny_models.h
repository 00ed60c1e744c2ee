// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_CORE_ENGINE_TINY_MODELS_H_
#define STATELIB_TESTS_CORE_ENGINE_TINY_MODELS_H_

#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/engine/runtime.h"

namespace statelib::engine {

inline std::filesystem::path GoldenFolder(const std::string& name) {
  return std::filesystem::path(STATELIB_SOURCE_DIR) / "tests/golden" / name;
}

inline std::filesystem::path DemoModel() {
  return std::filesystem::path(STATELIB_SOURCE_DIR) / "examples/models/demo";
}

/// Tokens of a model's vocabulary, the same for the same seed.
inline std::vector<TokenId> RandomTokens(size_t count, int64_t vocabulary, uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<TokenId> tokens(count);
  for (TokenId& token : tokens)
    token = static_cast<TokenId>(engine() % static_cast<uint32_t>(vocabulary));
  return tokens;
}

}  // namespace statelib::engine

#endif  // STATELIB_TESTS_CORE_ENGINE_TINY_MODELS_H_
