// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_CORE_ENGINE_TINY_MODELS_H_
#define STATELIB_TESTS_CORE_ENGINE_TINY_MODELS_H_

#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
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

/// What a batch of states chooses, each by its row.
inline std::vector<kernels::SampleResult> ChoicesOf(Runtime& runtime, std::span<State> states,
                                                    std::span<const kernels::SampleRow> rows) {
  struct Choosing : BatchSequence {
    Choosing(State& of, const kernels::SampleRow& by) : its_state(of), row(by) {}
    State& state() override { return its_state; }
    Wanted wanted() const override { return given ? Wanted::kState : Wanted::kChoice; }
    kernels::SampleRow sample_row() const override { return row; }
    size_t tokens_left() const override { return 0; }
    std::span<const TokenId> Next(size_t) override { return {}; }
    void Took(size_t, const Given& now) override { given = *now.choice; }

    State& its_state;
    kernels::SampleRow row;
    std::optional<kernels::SampleResult> given;
  };
  std::deque<Choosing> all;
  const auto batch = runtime.MakeBatch();
  for (size_t i = 0; i < states.size(); ++i) batch->Add(all.emplace_back(states[i], rows[i]));
  while (batch->Step()) {
  }
  std::vector<kernels::SampleResult> choices;
  for (const Choosing& one : all) choices.push_back(*one.given);
  return choices;
}

}  // namespace statelib::engine

#endif  // STATELIB_TESTS_CORE_ENGINE_TINY_MODELS_H_
