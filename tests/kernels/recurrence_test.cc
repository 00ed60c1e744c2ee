// SPDX-License-Identifier: Apache-2.0
// One body for every backend: operations with a state against their formulas in double precision,
// and bit by bit against the reference, on sequences of different lengths.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/kernels/backends_under_test.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/sequences.h"

namespace statelib::kernels {
namespace {

class RecurrenceTest : public BackendTest {};

INSTANTIATE_TEST_SUITE_P(All, RecurrenceTest, testing::ValuesIn(BackendsUnderTest()),
                         [](const auto& recipe) { return recipe.param.label; });

/// A ragged batch: rows of three sequences, lengths 1, 5 and 2.
const std::vector<size_t> kLengths = {1, 5, 2};
constexpr size_t kRowTotal = 8;

/// Runs `advance(sequences, rows for the outputs)` over a ragged batch in one call and returns the
/// outputs, then all states.
template <typename Advance>
std::vector<float> RunRagged(Backend& backend, const std::vector<float>& states, size_t state_size,
                             size_t channels, const Advance& advance,
                             const std::vector<size_t>& lengths = kLengths) {
  Buffer state_buffer = ToBackend(backend, states);
  const Sequences sequences(backend, lengths, state_buffer.data(), state_size);
  const size_t rows = sequences.table().rows;
  Buffer out = backend.Allocate(rows * channels);
  advance(sequences.table(), Rows{out.data(), rows, channels, channels});
  std::vector<float> all = ToHost(backend, out);
  const std::vector<float> after = ToHost(backend, state_buffer);
  all.insert(all.end(), after.begin(), after.end());
  return all;
}

TEST_P(RecurrenceTest, CausalConvHasTheBitsOfTheReferenceAndShiftsItsState) {
  Numbers numbers(5);
  for (const size_t kernel : {1, 3, 4}) {
    for (const size_t channels : {1, 16, 53, 160}) {
      const auto x = numbers.Make(kRowTotal * channels), weight = numbers.Make(kernel * channels);
      const auto bias = numbers.Make(channels),
                 states = numbers.Make(3 * (kernel - 1) * channels + 1);
      const auto run = [&](Backend& backend) {
        Buffer xb = ToBackend(backend, x), wb = ToBackend(backend, weight),
               bb = ToBackend(backend, bias);
        return RunRagged(backend, states, (kernel - 1) * channels, channels,
                         [&](const auto& sequences, Rows out) {
                           backend.CausalConv({Rows{xb.data(), kRowTotal, channels, channels},
                                               wb.data(), bb.data(), kernel, sequences, 0, out});
                         });
      };
      const auto result = run(*backend_);
      EXPECT_TRUE(SameBits(result, run(*reference_)))
          << kernel << " taps, " << channels << " channels";
      // The last sequence ends with the last row: its newest saved input is that row.
      if (kernel > 1) {
        const float newest = result[kRowTotal * channels + (3 * (kernel - 1) - 1) * channels];
        EXPECT_EQ(newest, x[(kRowTotal - 1) * channels]);
      }
    }
  }
}

TEST_P(RecurrenceTest, TheLastRowOfEachSequenceIsNormedIntoItsStateAndGatheredFromThere) {
  Numbers numbers(13);
  constexpr size_t kWidth = 70, kSlot = 96, kBefore = 16;
  const auto x = numbers.Make(kRowTotal * kWidth), weight = numbers.Make(kWidth),
             states = numbers.Make(kLengths.size() * kSlot);
  const auto run = [&](Backend& backend) {
    Buffer xb = ToBackend(backend, x), wb = ToBackend(backend, weight);
    return RunRagged(backend, states, kSlot, kWidth, [&](const auto& sequences, Rows out) {
      constexpr size_t kOffset = kBefore * sizeof(float);
      backend.RmsNormLast(Rows{xb.data(), kRowTotal, kWidth, kWidth}, wb.data(), 1e-5f, sequences,
                          kOffset, 0);
      const Rows all = {out.data, out.dtype, sequences.count, kWidth, kWidth};
      backend.GatherState(sequences, kOffset, all);
      // The rest of the outputs is of the rows themselves.
      const Rows rest(out.f32() + sequences.count * kWidth, kRowTotal - sequences.count, kWidth,
                      kWidth);
      backend.RmsNorm(Rows{xb.data(), rest.rows, kWidth, kWidth}, wb.data(), 1e-5f, rest);
    });
  };
  const auto result = run(*backend_);
  EXPECT_TRUE(SameBits(result, run(*reference_)));
  // The first sequence has one row, the first.
  EXPECT_TRUE(std::equal(result.begin(), result.begin() + kWidth,
                         result.begin() + static_cast<std::ptrdiff_t>(kLengths.size() * kWidth)));
  const auto slots = result.begin() + static_cast<std::ptrdiff_t>(kRowTotal * kWidth);
  EXPECT_TRUE(std::equal(states.begin(), states.begin() + kBefore, slots));
}

TEST_P(RecurrenceTest, SelectiveScanHasTheBitsOfTheReference) {
  Numbers numbers(6);
  for (const size_t states : {1, 5, 8, 16}) {
    for (const size_t channels : {1, 16, 53, 160}) {
      const auto x = numbers.Make(kRowTotal * channels),
                 z = numbers.Make(kRowTotal * channels, -9, 9);
      const auto dt = numbers.Make(kRowTotal * channels, 0.001f, 3),
                 a = numbers.Make(states * channels, -40, -0.01f);
      const auto b = numbers.Make(kRowTotal * states), c = numbers.Make(kRowTotal * states);
      const auto d = numbers.Make(channels), initial = numbers.Make(3 * states * channels);
      const auto run = [&](Backend& backend) {
        Buffer xb = ToBackend(backend, x), zb = ToBackend(backend, z), dtb = ToBackend(backend, dt);
        Buffer ab = ToBackend(backend, a), bb = ToBackend(backend, b), cb = ToBackend(backend, c);
        Buffer db = ToBackend(backend, d);
        const auto rows = [](Buffer& buffer, size_t cols) {
          return Rows{buffer.data(), kRowTotal, cols, cols};
        };
        return RunRagged(
            backend, initial, states * channels, channels, [&](const auto& sequences, Rows out) {
              backend.SelectiveScan({rows(xb, channels), rows(dtb, channels), rows(bb, states),
                                     rows(cb, states), rows(zb, channels), ab.data(), db.data(),
                                     sequences, 0, out});
            });
      };
      EXPECT_TRUE(SameBits(run(*backend_), run(*reference_)))
          << states << " states, " << channels << " channels";
    }
  }
}

TEST_P(RecurrenceTest, SelectiveScanFollowsItsFormula) {
  // One channel, one state, two steps, by hand: s1 = e^(-1)*2 + 1*3*0.5, s2 = e^(-0.5)*s1 +
  // 0.5*(-1)*2.
  Backend& backend = *backend_;
  Buffer x = ToBackend(backend, {3, -1}), dt = ToBackend(backend, {1, 0.5f}),
         b = ToBackend(backend, {0.5f, 2});
  Buffer c = ToBackend(backend, {1, -1}), z = ToBackend(backend, {2, 1}),
         a = ToBackend(backend, {-1});
  Buffer d = ToBackend(backend, {0.25f}), state = ToBackend(backend, {2}), y = backend.Allocate(2);
  const auto rows = [](Buffer& buffer) { return Rows{buffer.data(), 2, 1, 1}; };
  const Sequences sequences(backend, {2}, state.data(), 1);
  backend.SelectiveScan({rows(x), rows(dt), rows(b), rows(c), rows(z), a.data(), d.data(),
                         sequences.table(), 0, rows(y)});
  const double s1 = std::exp(-1.0) * 2 + 1.5, s2 = std::exp(-0.5) * s1 - 1;
  const auto silu = [](double v) { return v / (1 + std::exp(-v)); };
  const auto result = ToHost(backend, y);
  EXPECT_NEAR(result[0], (0.75 + s1) * silu(2), 1e-6);
  EXPECT_NEAR(result[1], (-0.25 - s2) * silu(1), 1e-6);
  EXPECT_NEAR(ToHost(backend, state)[0], s2, 1e-6);
}

TEST_P(RecurrenceTest, Mamba2ScanHasTheBitsOfTheReference) {
  Numbers numbers(7);
  struct Size {
    size_t heads, groups, channels, states;
  };
  for (const auto& [heads, groups, channels, states] : std::vector<Size>{{1, 1, 1, 1},
                                                                         {4, 2, 64, 128},
                                                                         {6, 3, 19, 13},
                                                                         {2, 1, 32, 8},
                                                                         {3, 1, 33, 64},
                                                                         {2, 2, 20, 16}}) {
    const size_t width = heads * channels;
    const auto x = numbers.Make(kRowTotal * width), z = numbers.Make(kRowTotal * width, -9, 9);
    const auto dt = numbers.Make(kRowTotal * heads, -3, 3), bias = numbers.Make(heads),
               a = numbers.Make(heads, -16, -1);
    const auto b = numbers.Make(kRowTotal * groups * states),
               c = numbers.Make(kRowTotal * groups * states);
    const auto d = numbers.Make(width), initial = numbers.Make(3 * states * width);
    const auto run = [&, heads = heads, groups = groups, states = states](Backend& backend) {
      Buffer xb = ToBackend(backend, x), zb = ToBackend(backend, z), dtb = ToBackend(backend, dt);
      Buffer ab = ToBackend(backend, a), bb = ToBackend(backend, b), cb = ToBackend(backend, c);
      Buffer db = ToBackend(backend, d), biasb = ToBackend(backend, bias);
      const auto rows = [](Buffer& buffer, size_t cols) {
        return Rows{buffer.data(), kRowTotal, cols, cols};
      };
      return RunRagged(
          backend, initial, states * width, width, [&](const auto& sequences, Rows out) {
            backend.Mamba2Scan({rows(xb, width), rows(dtb, heads), rows(bb, groups * states),
                                rows(cb, groups * states), rows(zb, width), biasb.data(), ab.data(),
                                db.data(), 0.1f, 2.0f, groups, sequences, 0, out});
          });
    };
    EXPECT_TRUE(SameBits(run(*backend_), run(*reference_))) << heads << " heads of " << channels;
  }
}

TEST_P(RecurrenceTest, Mamba2ScanFollowsItsFormula) {
  // One head, one channel, one state, two steps by hand; the second time step is clamped to 0.25.
  Backend& backend = *backend_;
  Buffer x = ToBackend(backend, {3, -1}), dt = ToBackend(backend, {-2, 4}),
         b = ToBackend(backend, {0.5f, 2});
  Buffer c = ToBackend(backend, {1, -1}), z = ToBackend(backend, {2, 1}),
         a = ToBackend(backend, {-1.5f});
  Buffer d = ToBackend(backend, {0.25f}), bias = ToBackend(backend, {0.5f}),
         state = ToBackend(backend, {2});
  Buffer y = backend.Allocate(2);
  const auto rows = [](Buffer& buffer) { return Rows{buffer.data(), 2, 1, 1}; };
  const Sequences sequences(backend, {2}, state.data(), 1);
  backend.Mamba2Scan({rows(x), rows(dt), rows(b), rows(c), rows(z), bias.data(), a.data(), d.data(),
                      0.0f, 0.25f, 1, sequences.table(), 0, rows(y)});
  const double dt1 = std::log1p(std::exp(-1.5)), dt2 = 0.25;
  const double s1 = std::exp(-1.5 * dt1) * 2 + dt1 * 3 * 0.5,
               s2 = std::exp(-1.5 * dt2) * s1 + dt2 * -1 * 2;
  const auto silu = [](double v) { return v / (1 + std::exp(-v)); };
  const auto result = ToHost(backend, y);
  EXPECT_NEAR(result[0], (0.75 + s1) * silu(2), 1e-6);
  EXPECT_NEAR(result[1], (-0.25 - s2) * silu(1), 1e-6);
  EXPECT_NEAR(ToHost(backend, state)[0], s2, 1e-6);
}

/// Runs a convolution and both scans over sequences of these lengths, in published sizes of state.
std::vector<std::vector<float>> RunRecurrences(Backend& backend,
                                               const std::vector<size_t>& lengths) {
  Numbers numbers(10);
  const size_t rows = std::accumulate(lengths.begin(), lengths.end(), size_t{0});
  constexpr size_t kHeads = 2, kWidth = 20, kChannels = kHeads * kWidth, kStates = 128, kTaps = 4;
  const auto x = numbers.Make(rows * kChannels), z = numbers.Make(rows * kChannels, -9, 9),
             dt = numbers.Make(rows * kChannels, 0.001f, 3), dt_raw = numbers.Make(rows * kHeads),
             b = numbers.Make(rows * kStates), c = numbers.Make(rows * kStates),
             a = numbers.Make(16 * kChannels, -40, -0.01f), d = numbers.Make(kChannels),
             weight = numbers.Make(kTaps * kChannels),
             initial = numbers.Make(lengths.size() * kStates * kChannels);
  Buffer xb = ToBackend(backend, x), zb = ToBackend(backend, z), dtb = ToBackend(backend, dt),
         rawb = ToBackend(backend, dt_raw), bb = ToBackend(backend, b), cb = ToBackend(backend, c),
         ab = ToBackend(backend, a), db = ToBackend(backend, d), wb = ToBackend(backend, weight);
  const auto view = [&](Buffer& buffer, size_t cols, size_t stride) {
    return Rows{buffer.data(), rows, cols, stride};
  };
  const Rows xs = view(xb, kChannels, kChannels), zs = view(zb, kChannels, kChannels);
  std::vector<std::vector<float>> results;
  results.push_back(RunRagged(
      backend, initial, (kTaps - 1) * kChannels, kChannels,
      [&](const auto& sequences, Rows out) {
        backend.CausalConv({xs, wb.data(), db.data(), kTaps, sequences, 0, out});
      },
      lengths));
  results.push_back(RunRagged(
      backend, initial, 16 * kChannels, kChannels,
      [&](const auto& sequences, Rows out) {
        backend.SelectiveScan({xs, view(dtb, kChannels, kChannels), view(bb, 16, kStates),
                               view(cb, 16, kStates), zs, ab.data(), db.data(), sequences, 0, out});
      },
      lengths));
  results.push_back(RunRagged(
      backend, initial, kStates * kChannels, kChannels,
      [&](const auto& sequences, Rows out) {
        backend.Mamba2Scan({xs, view(rawb, kHeads, kHeads), view(bb, kStates, kStates),
                            view(cb, kStates, kStates), zs, db.data(), ab.data(), db.data(), 0.0f,
                            10.0f, 1, sequences, 0, out});
      },
      lengths));
  return results;
}

TEST_P(RecurrenceTest, RecurrencesOfLongManyAndSingleRowSequencesHaveTheBitsOfTheReference) {
  std::vector<size_t> one_long_then_many(140, 1);
  one_long_then_many[0] = 150;
  const std::vector<size_t> all_short(5, 1);
  for (const auto& lengths : {one_long_then_many, all_short}) {
    const auto ours = RunRecurrences(*backend_, lengths),
               want = RunRecurrences(*reference_, lengths);
    EXPECT_TRUE(SameBits(ours[0], want[0])) << "convolution of " << lengths.size();
    EXPECT_TRUE(SameBits(ours[1], want[1])) << "selective scan of " << lengths.size();
    EXPECT_TRUE(SameBits(ours[2], want[2])) << "Mamba-2 scan of " << lengths.size();
  }
}

/// One product whose outputs are convolved or scanned, in one call: outputs, then states. The
/// operations' columns begin and end between two panels of the product.
std::vector<float> RunProductThen(Backend& backend, bool scans, size_t channels,
                                  const std::vector<size_t>& lengths) {
  constexpr size_t kInputs = 40, kTaps = 4, kStates = 5, kBefore = 21, kAfter = 10;
  const size_t rows = std::accumulate(lengths.begin(), lengths.end(), size_t{0}),
               outputs = scans ? channels : kBefore + channels + kAfter;
  Numbers numbers(12);
  Buffer x = ToBackend(backend, numbers.Make(rows * kInputs)),
         bias = ToBackend(backend, numbers.Make(outputs)),
         taps = ToBackend(backend, numbers.Make(kTaps * channels)),
         taps_bias = ToBackend(backend, numbers.Make(channels)),
         skip = ToBackend(backend, numbers.Make(channels)),
         a = ToBackend(backend, numbers.Make(kStates * channels, -9, -0.01f)),
         u = ToBackend(backend, numbers.Make(rows * channels)),
         z = ToBackend(backend, numbers.Make(rows * channels)),
         b = ToBackend(backend, numbers.Make(rows * kStates)),
         c = ToBackend(backend, numbers.Make(rows * kStates)),
         product = backend.Allocate(rows * outputs);
  const auto weights = numbers.Make(outputs * kInputs),
             states = numbers.Make(lengths.size() * kStates * channels);
  const auto matrix = backend.Pack(View(weights, outputs, kInputs));
  const auto view = [&](Buffer& buffer, size_t cols) {
    return Rows{buffer.data(), rows, cols, cols};
  };
  const Rows out = view(product, outputs);
  auto all = RunRagged(
      backend, states, (scans ? kStates : kTaps - 1) * channels, channels,
      [&](const auto& sequences, Rows y) {
        if (scans) {
          backend.MatMulThenScan(*matrix, bias.data(), view(x, kInputs), out,
                                 {view(u, channels), out, view(b, kStates), view(c, kStates),
                                  view(z, channels), a.data(), skip.data(), sequences, 0, y});
        } else {
          backend.MatMulThenConv(*matrix, bias.data(), view(x, kInputs), out,
                                 {out.Columns(kBefore, channels), taps.data(), taps_bias.data(),
                                  kTaps, sequences, 0, y});
        }
      },
      lengths);
  const auto products = ToHost(backend, product);
  all.insert(all.end(), products.begin(), products.end());
  return all;
}

TEST_P(RecurrenceTest, AProductWithWhatFollowsItHasTheBitsOfTheReference) {
  const std::vector<size_t> one_row = {1}, more_rows_than_a_pass = {150, 1, 90};
  for (const auto& lengths : {one_row, kLengths, more_rows_than_a_pass}) {
    for (const size_t channels : {1, 53, 700}) {
      for (const bool scans : {false, true}) {
        EXPECT_TRUE(SameBits(RunProductThen(*backend_, scans, channels, lengths),
                             RunProductThen(*reference_, scans, channels, lengths)))
            << (scans ? "scan of " : "convolution of ") << channels << " channels, "
            << lengths.size() << " sequences";
      }
    }
  }
}

}  // namespace
}  // namespace statelib::kernels
