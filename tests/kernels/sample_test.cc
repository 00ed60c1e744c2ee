// SPDX-License-Identifier: Apache-2.0
// One body for every backend: choices against a brute force in double precision, and equal to the
// reference's.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "kernels/exact/philox.h"
#include "kernels/sampling.h"
#include "tests/kernels/backends_under_test.h"
#include "tests/kernels/numbers.h"

namespace statelib::kernels {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// One choice for each row; logits: [rows, vocabulary].
std::vector<SampleResult> Choose(Backend& backend, const std::vector<float>& logits,
                                 std::span<const SampleRow> rows, size_t tokens = 0) {
  const size_t vocabulary = logits.size() / rows.size();
  Buffer buffer = ToBackend(backend, logits);
  std::vector<SampleResult> results(rows.size());
  backend.Sample({Rows{buffer.data(), rows.size(), vocabulary, vocabulary},
                  tokens > 0 ? tokens : vocabulary, rows, results});
  return results;
}

class SampleTest : public testing::TestWithParam<BackendRecipe> {
 protected:
  std::unique_ptr<Backend> backend_ = GetParam().make();
  std::unique_ptr<Backend> reference_ = MakeReferenceBackend();

  int32_t One(const std::vector<float>& logits, const SampleRow& row, size_t tokens = 0) {
    return Choose(*backend_, logits, std::span(&row, 1), tokens)[0].id;
  }
  /// How often each token is chosen at positions 0 to draws - 1.
  std::map<int32_t, int> Frequencies(const std::vector<float>& logits, const SampleRow& row,
                                     int draws = 2000) {
    std::vector<SampleRow> rows(static_cast<size_t>(draws), row);
    std::vector<float> repeated;
    for (size_t i = 0; i < rows.size(); ++i) {
      rows[i].position = i;
      repeated.insert(repeated.end(), logits.begin(), logits.end());
    }
    std::map<int32_t, int> counts;
    for (const SampleResult& result : Choose(*backend_, repeated, rows)) ++counts[result.id];
    return counts;
  }
};

INSTANTIATE_TEST_SUITE_P(All, SampleTest, testing::ValuesIn(BackendsUnderTest()),
                         [](const auto& recipe) { return recipe.param.label; });

uint32_t Next(std::mt19937& random) { return static_cast<uint32_t>(random()); }

/// A row's parameters with the lists that it looks into.
struct Case {
  SampleRow row;
  std::vector<SeenToken> seen;
  std::vector<TokenBias> biases;
  std::vector<uint32_t> allowed;
};

/// Parameters of every kind. allow: whether a mask may be among them.
Case RandomCase(std::mt19937& random, size_t tokens, bool allow) {
  const auto pick = [&](auto... values) {
    const std::common_type_t<decltype(values)...> list[] = {values...};
    return list[random() % sizeof...(values)];
  };
  Case made;
  made.row = {.temperature = pick(0.0f, 0.3f, 1.0f, 2.0f),
              .top_k = pick(0u, 0u, 1u, 3u, 40u, 1000u),
              .top_p = pick(1.0, 1.0, 0.95, 0.5, 1e-9),
              .min_p = pick(0.0, 0.0, 0.05, 1.0),
              .repetition_penalty = pick(1.0f, 1.3f, 0.7f),
              .presence_penalty = pick(0.0f, 0.5f, -0.25f),
              .frequency_penalty = pick(0.0f, 0.2f),
              .seed = random(),
              .position = random() % 100};
  if (random() % 2 == 0) made.row.log_probabilities = pick(0u, 1u, 5u, 100000u);
  for (size_t id = 0; id < tokens; ++id) {
    if (random() % 7 == 0) made.seen.push_back({static_cast<int32_t>(id), Next(random) % 3});
    if (random() % 50 == 0)
      made.biases.push_back({static_cast<int32_t>(id), static_cast<float>(random() % 9) - 4.0f});
  }
  made.seen.push_back({static_cast<int32_t>(tokens), 1});
  made.biases.push_back({-1, 100.0f});
  if (allow && random() % 3 == 0)
    for (size_t word = 0; word * 32 < tokens; ++word) made.allowed.push_back(Next(random) | 1);
  return made;
}

SampleRow RowOf(const Case& made) {
  SampleRow row = made.row;
  row.seen = made.seen;
  row.biases = made.biases;
  row.allowed = made.allowed;
  return row;
}

/// What is left of a row after every filter, likeliest first, in double precision.
struct Kept {
  int32_t id;
  double x, weight;
};

std::vector<Kept> BruteForce(std::vector<float> logits, const SampleRow& row) {
  std::vector<double> x(logits.begin(), logits.end());
  for (const auto& [id, count] : row.seen) {
    if (id < 0 || static_cast<size_t>(id) >= x.size()) continue;
    double& value = x[static_cast<size_t>(id)];
    value = value > 0 ? value / row.repetition_penalty : value * row.repetition_penalty;
    if (count > 0)
      value -= row.presence_penalty + row.frequency_penalty * static_cast<float>(count);
  }
  for (const auto& [id, value] : row.biases)
    if (id >= 0 && static_cast<size_t>(id) < x.size()) x[static_cast<size_t>(id)] += value;
  std::vector<Kept> kept;
  for (size_t i = 0; i < x.size(); ++i)
    if (row.allowed.empty() || (row.allowed[i / 32] >> i % 32 & 1) != 0)
      kept.push_back({static_cast<int32_t>(i), x[i], 0});
  std::stable_sort(kept.begin(), kept.end(),
                   [](const Kept& a, const Kept& b) { return a.x > b.x; });
  if (row.temperature == 0) kept.resize(1);
  double total = 0;
  if (row.top_k > 0) kept.resize(std::min<size_t>(row.top_k, kept.size()));
  for (Kept& token : kept)
    total += token.weight =
        row.temperature == 0 ? 1 : std::exp((token.x - kept[0].x) / row.temperature);
  double reached = 0;
  for (size_t i = 0; row.top_p < 1 && i < kept.size(); ++i)
    if ((reached += kept[i].weight) >= row.top_p * total) kept.resize(i + 1);
  std::erase_if(kept, [&](const Kept& token) { return token.weight < row.min_p; });
  return kept;
}

TEST_P(SampleTest, AChoiceIsTheOneOfABruteForceInDoublePrecision) {
  std::mt19937 random(1);
  for (const size_t tokens : {1, 2, 5, 17, 257, 1000}) {
    for (int round = 0; round < 60; ++round) {
      const std::vector<float> logits = Numbers(Next(random)).Make(tokens, -6, 6);
      const Case made = RandomCase(random, tokens, true);
      const SampleRow row = RowOf(made);
      const int32_t chosen = One(logits, row);
      std::vector<Kept> kept = BruteForce(logits, row);
      std::sort(kept.begin(), kept.end(), [](const Kept& a, const Kept& b) { return a.id < b.id; });
      double total = 0, before = 0;
      for (const Kept& token : kept) total += token.weight;
      const auto found = std::find_if(kept.begin(), kept.end(),
                                      [&](const Kept& token) { return token.id == chosen; });
      ASSERT_NE(found, kept.end()) << tokens << ' ' << round;
      for (auto token = kept.begin(); token != found; ++token) before += token->weight;
      const double drawn =
          static_cast<double>(exact::RandomBits(row.seed, row.position)) * 0x1p-64 * total;
      EXPECT_GE(drawn, before - 1e-5 * total);
      EXPECT_LE(drawn, before + found->weight + 1e-5 * total);
    }
  }
}

/// Rows in which ties, infinities and what is no number stand.
std::vector<float> HardRow(std::mt19937& random, size_t size) {
  std::vector<float> logits =
      Numbers(Next(random)).Make(size, -20, random() % 2 == 0 ? 5.0f : -19.9f);
  const bool rounds = random() % 3 == 0, breaks = random() % 3 == 0, overflows = random() % 6 == 0;
  for (float& logit : logits) {
    if (rounds) logit = std::round(logit);
    if (breaks && random() % 9 == 0) logit = random() % 2 == 0 ? kNaN : -kInfinity;
    if (overflows && random() % 20 == 0) logit = random() % 2 == 0 ? kInfinity : 3e38f;
  }
  if (random() % 30 == 0) std::fill(logits.begin(), logits.end(), kNaN);
  return logits;
}

TEST_P(SampleTest, EveryBackendHasTheReferencesChoicesAndLogProbabilities) {
  std::mt19937 random(2);
  for (const size_t size : {1, 3, 15, 16, 17, 255, 256, 257, 1023, 5000}) {
    std::vector<Case> cases;
    std::vector<SampleRow> rows;
    std::vector<float> logits;
    for (int r = 0; r < 40; ++r) cases.push_back(RandomCase(random, size, true));
    for (const Case& made : cases) {
      rows.push_back(RowOf(made));
      const std::vector<float> row = HardRow(random, size);
      logits.insert(logits.end(), row.begin(), row.end());
    }
    const size_t tokens = size - (size > 20 ? 3 : 0);
    const auto expected = Choose(*reference_, logits, rows, tokens);
    const auto together = Choose(*backend_, logits, rows, tokens);
    for (size_t r = 0; r < rows.size(); ++r) {
      ASSERT_EQ(together[r], expected[r]) << size << ' ' << r;
      const std::vector<float> alone(logits.begin() + static_cast<ptrdiff_t>(r * size),
                                     logits.begin() + static_cast<ptrdiff_t>((r + 1) * size));
      ASSERT_EQ(Choose(*backend_, alone, std::span(&rows[r], 1), tokens)[0], expected[r]);
    }
  }
}

TEST_P(SampleTest, GreedyTakesTheLargestAndTheSmallestIdOnTies) {
  const std::vector<float> logits = {1, 3, 2, 3, -1};
  EXPECT_EQ(One(logits, {}), 1);
  EXPECT_EQ(One(logits, {.top_k = 4, .top_p = 0.1, .min_p = 1, .seed = 3}), 1);
  EXPECT_EQ(One({-0.0f, 0.0f}, {}), 0);
  EXPECT_EQ(One(logits, {}, 1), 0) << "ids from `tokens` on are no tokens";
}

TEST_P(SampleTest, WhatIsNoNumberIsNeverChosen) {
  EXPECT_EQ(One({kNaN, -2, kNaN}, {}), 1);
  EXPECT_EQ(One({kNaN, -2, kNaN}, {.temperature = 5}), 1);
  for (const float temperature : {0.0f, 1.0f}) {
    const SampleRow row{.temperature = temperature, .log_probabilities = 2};
    EXPECT_EQ(Choose(*backend_, {kNaN, kNaN}, std::span(&row, 1))[0], SampleResult());
  }
}

TEST_P(SampleTest, InfiniteLogitsShareTheChoiceAndNothingButMinusInfinityIsUniform) {
  EXPECT_EQ(One({5, kInfinity, kInfinity}, {}), 1);
  const auto among = Frequencies({5, kInfinity, 3e38f, kInfinity}, {.temperature = 1});
  EXPECT_EQ(among.size(), 2u);
  EXPECT_NEAR(among.at(1), 1000, 100);
  EXPECT_EQ(One({-kInfinity, -kInfinity}, {}), 0);
  EXPECT_NEAR(Frequencies({-kInfinity, -kInfinity}, {.temperature = 1}).at(1), 1000, 100);
}

TEST_P(SampleTest, FiltersKeepTheSmallestIdsOfEqualLogits) {
  const std::vector<float> logits(100, 2.5f);
  const auto top_k = Frequencies(logits, {.temperature = 1, .top_k = 3});
  EXPECT_EQ(top_k.size(), 3u);
  EXPECT_EQ(top_k.rbegin()->first, 2);
  // A quarter of the weight is reached by exactly 25 tokens, a little more by 26.
  EXPECT_EQ(Frequencies(logits, {.temperature = 1, .top_p = 0.25}).rbegin()->first, 24);
  EXPECT_EQ(Frequencies(logits, {.temperature = 1, .top_p = 0.2500001}).rbegin()->first, 25);
  EXPECT_EQ(Frequencies(logits, {.temperature = 1, .min_p = 1}, 5000).size(), 100u);
}

TEST_P(SampleTest, TopPIsOfWhatTopKKeepsAndMinPComesLast) {
  // Weights 1, 1/2, 1/4, 1/8.
  const auto log2 = static_cast<float>(std::log(2.0));
  const std::vector<float> logits = {0, -log2, -2 * log2, -3 * log2};
  const auto kept = [&](uint32_t top_k, double top_p, double min_p) {
    return Frequencies(logits, {.temperature = 1, .top_k = top_k, .top_p = top_p, .min_p = min_p})
        .size();
  };
  EXPECT_EQ(kept(0, 0.6, 0), 2u);  // 1 of 1.875 is 0.53
  EXPECT_EQ(kept(2, 0.6, 0), 1u);  // 1 of 1.5 is 0.67
  EXPECT_EQ(kept(0, 0.95, 0), 4u);
  EXPECT_EQ(kept(0, 0.95, 0.2), 3u);
  EXPECT_EQ(kept(3, 1, 0.4), 2u);
}

TEST_P(SampleTest, PenaltiesFollowTheCountsInTheAnswerAndTheRepetitionPenaltyWhatWasSeen) {
  const std::vector<float> logits = {4, -4, 3.5f, 3};
  const auto choice = [&](SampleRow row, std::vector<SeenToken> seen) {
    row.seen = seen;
    return One(logits, row);
  };
  EXPECT_EQ(choice({.repetition_penalty = 2}, {{0, 0}, {2, 5}}), 3);
  EXPECT_EQ(choice({.presence_penalty = 0.75f}, {{0, 0}}), 0) << "it stands before the answer";
  EXPECT_EQ(choice({.presence_penalty = 0.75f}, {{0, 1}}), 2);
  EXPECT_EQ(choice({.presence_penalty = 0.75f}, {{0, 9}, {2, 1}}), 0) << "once, however often";
  EXPECT_EQ(choice({.frequency_penalty = 0.3f}, {{0, 1}}), 0);
  EXPECT_EQ(choice({.frequency_penalty = 0.3f}, {{0, 2}}), 2);
  EXPECT_EQ(choice({.presence_penalty = -9}, {{1, 1}}), 1) << "below 0 it draws them in";
  EXPECT_EQ(choice({.repetition_penalty = 0.1f}, {{1, 0}}), 0) << "-4 becomes -0.4";
}

TEST_P(SampleTest, BiasesAreAddedToWhatThePenaltiesLeaveAndOnlyAllowedTokensAreChosen) {
  const std::vector<float> logits = {4, 3, 2, 1};
  const std::vector<TokenBias> biases = {{3, 2.5f}, {0, -100}};
  EXPECT_EQ(One(logits, {.biases = biases}), 3);
  const std::vector<SeenToken> seen = {{3, 1}};
  EXPECT_EQ(One(logits, {.repetition_penalty = 2, .seen = seen, .biases = biases}), 1)
      << "1 / 2 + 2.5 is no more than 3";
  const std::vector<uint32_t> allowed = {0b0110}, none = {0};
  EXPECT_EQ(One(logits, {.allowed = allowed}), 1);
  EXPECT_EQ(One(logits, {.temperature = 1, .biases = biases, .allowed = none}), -1);
  for (const auto& [id, count] : Frequencies(logits, {.temperature = 9, .allowed = allowed}))
    EXPECT_TRUE(id == 1 || id == 2) << id;
}

TEST_P(SampleTest, DrawsFollowTheSoftmaxAtTheTemperature) {
  const std::vector<float> logits = Numbers(5).Make(8, -2, 2);
  constexpr int kDraws = 20000;
  const auto counts = Frequencies(logits, {.temperature = 1.5f, .seed = 11}, kDraws);
  double total = 0, chi_square = 0;
  for (const float logit : logits) total += std::exp(logit / 1.5);
  for (size_t i = 0; i < logits.size(); ++i) {
    const double expected = kDraws * std::exp(logits[i] / 1.5) / total;
    chi_square += std::pow(counts.at(static_cast<int32_t>(i)) - expected, 2) / expected;
  }
  EXPECT_LT(chi_square, 20.3);  // exceeded by one seed in 200 of a right sampler
}

TEST_P(SampleTest, LogProbabilitiesAreTheModelsOwnBeforeEveryFilter) {
  const std::vector<float> logits = {1, 3, 3, -2, kNaN};
  const std::vector<TokenBias> biases = {{3, 100}};
  const SampleRow row{.temperature = 0.1f, .top_k = 1, .biases = biases, .log_probabilities = 9};
  const SampleResult result = Choose(*backend_, logits, std::span(&row, 1))[0];
  EXPECT_EQ(result.id, 3);
  ASSERT_EQ(result.best.size(), 4u);
  EXPECT_EQ(result.best[0].token, 1);
  EXPECT_EQ(result.best[1].token, 2);
  EXPECT_EQ(result.best[1].value, result.best[0].value);
  EXPECT_EQ(result.best[3].value, result.log_probability);
  double total = 0, expected = 0;
  for (const TokenLogProbability& token : result.best) total += std::exp(token.value);
  for (size_t i = 0; i < 4; ++i) expected += std::exp(logits[i]);
  EXPECT_NEAR(total, 1, 1e-6);
  EXPECT_NEAR(result.log_probability, -2 - std::log(expected), 1e-6);
}

TEST(SampleThreads, EightThreadsChooseAsOne) {
  const auto one = MakeCpuBackend(1), eight = MakeCpuBackend(8);
  std::mt19937 random(3);
  constexpr size_t kRows = 21, kVocabulary = 9000;
  std::vector<SampleRow> rows(kRows);
  for (SampleRow& row : rows)
    row = {.temperature = 1, .top_p = random() % 2 == 0 ? 1 : 0.9, .seed = random()};
  const std::vector<float> logits = Numbers(4).Make(kRows * kVocabulary, -9, 9);
  EXPECT_EQ(Choose(*eight, logits, rows), Choose(*one, logits, rows));
}

}  // namespace
}  // namespace statelib::kernels
