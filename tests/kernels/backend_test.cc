// SPDX-License-Identifier: Apache-2.0
// One body for every backend: each operation against its formula in double precision, and bit by
// bit against the reference, on sizes that are one, odd, and no multiple of any vector.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>

#include "tests/kernels/backends_under_test.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/sequences.h"

namespace statelib::kernels {
namespace {

/// Half-precision numbers below 2, subnormals among them.
std::vector<uint16_t> ToF16(const std::vector<float>& values) {
  std::vector<uint16_t> halves(values.size());
  for (size_t i = 0; i < halves.size(); ++i)
    halves[i] = static_cast<uint16_t>(std::bit_cast<uint32_t>(values[i]) & 0xbfff);
  return halves;
}

class BackendTest : public testing::TestWithParam<BackendRecipe> {
 protected:
  std::unique_ptr<Backend> backend_ = GetParam().make();
  std::unique_ptr<Backend> reference_ = MakeReferenceBackend();
};

INSTANTIATE_TEST_SUITE_P(All, BackendTest, testing::ValuesIn(BackendsUnderTest()),
                         [](const auto& recipe) { return recipe.param.label; });

struct MatMulSize {
  size_t rows, inputs, outputs;
};
const std::vector<MatMulSize> kMatMulSizes = {
    {1, 1, 1},      {1, 24, 768},  {1, 300, 130}, {2, 17, 56},   {3, 31, 16},
    {4, 257, 33},   {5, 48, 192},  {7, 96, 35},   {12, 256, 32}, {13, 512, 17},
    {16, 1300, 70}, {25, 513, 96}, {64, 80, 320}, {193, 40, 31}};

std::vector<float> RunMatMul(Backend& backend, const WeightView& weights,
                             const std::vector<float>& bias, const std::vector<float>& x,
                             size_t rows, Epilogue epilogue, const std::vector<float>& before) {
  const auto matrix = backend.Pack(weights);
  Buffer bias_buffer = ToBackend(backend, bias), x_buffer = ToBackend(backend, x),
         out = ToBackend(backend, before);
  backend.MatMul(*matrix, bias.empty() ? nullptr : bias_buffer.data(),
                 Rows{x_buffer.data(), rows, weights.cols, weights.cols}, epilogue,
                 {out.data(), rows, weights.rows, weights.rows});
  return ToHost(backend, out);
}

TEST_P(BackendTest, MatMulIsTheSumOfProductsWithinItsRoundingBound) {
  Numbers numbers(1);
  for (const auto& [rows, inputs, outputs] : kMatMulSizes) {
    const auto weights = numbers.Make(outputs * inputs), x = numbers.Make(rows * inputs),
               bias = numbers.Make(outputs);
    const auto out = RunMatMul(*backend_, View(weights, outputs, inputs), bias, x, rows,
                               Epilogue::kStore, std::vector<float>(rows * outputs));
    for (size_t t = 0; t < rows; ++t) {
      for (size_t o = 0; o < outputs; ++o) {
        double sum = bias[o], norm = std::fabs(bias[o]);
        for (size_t k = 0; k < inputs; ++k) {
          const double product = static_cast<double>(weights[o * inputs + k]) * x[t * inputs + k];
          sum += product;
          norm += std::fabs(product);
        }
        const double bound = 0x1p-24 * static_cast<double>(inputs + 1) * norm;
        ASSERT_NEAR(out[t * outputs + o], sum, bound) << rows << "x" << inputs << "x" << outputs;
      }
    }
  }
}

TEST_P(BackendTest, MatMulHasTheBitsOfTheReferenceInEveryEpilogueAndWeightType) {
  Numbers numbers(2);
  for (const auto& [rows, inputs, outputs] : kMatMulSizes) {
    const auto weights = numbers.Make(outputs * inputs), x = numbers.Make(rows * inputs);
    const auto before = numbers.Make(rows * outputs);
    std::vector<uint16_t> bf16(weights.size());
    for (size_t i = 0; i < bf16.size(); ++i) {
      bf16[i] = static_cast<uint16_t>(std::bit_cast<uint32_t>(weights[i]) >> 16);
    }
    const std::vector<uint16_t> f16 = ToF16(weights);
    for (const Epilogue epilogue : {Epilogue::kStore, Epilogue::kAdd, Epilogue::kSoftplus}) {
      for (const auto& bias : {std::vector<float>(), numbers.Make(outputs)}) {
        for (const WeightView& view : {View(weights, outputs, inputs), View(bf16, outputs, inputs),
                                       View(f16, outputs, inputs, WeightType::kF16)}) {
          EXPECT_TRUE(SameBits(RunMatMul(*backend_, view, bias, x, rows, epilogue, before),
                               RunMatMul(*reference_, view, bias, x, rows, epilogue, before)))
              << rows << "x" << inputs << "x" << outputs;
        }
      }
    }
  }
}

TEST_P(BackendTest, MatMulOfManyRowsAndOutputsHasTheBitsOfTheReference) {
  Numbers numbers(8);
  constexpr size_t kRows = 1000, kInputs = 24, kOutputs = 2040;
  const auto weights = numbers.Make(kOutputs * kInputs), x = numbers.Make(kRows * kInputs),
             before = numbers.Make(kRows * kOutputs);
  const auto run = [&](Backend& backend) {
    return RunMatMul(backend, View(weights, kOutputs, kInputs), {}, x, kRows, Epilogue::kAdd,
                     before);
  };
  EXPECT_TRUE(SameBits(run(*backend_), run(*reference_)));
}

TEST_P(BackendTest, MatMulOnColumnsOfWiderRowsTouchesNothingElse) {
  Numbers numbers(9);
  constexpr size_t kInputs = 70, kOutputs = 45, kXStride = kInputs + 7, kOutStride = kOutputs + 5;
  const auto weights = numbers.Make(kOutputs * kInputs);
  for (const size_t rows : {1, 6, 40}) {
    const auto x = numbers.Make(rows * kXStride), before = numbers.Make(rows * kOutStride);
    const auto run = [&](Backend& backend) {
      const auto matrix = backend.Pack(View(weights, kOutputs, kInputs));
      Buffer xb = ToBackend(backend, x), out = ToBackend(backend, before);
      backend.MatMul(*matrix, nullptr,
                     Rows{xb.data(), rows, kXStride, kXStride}.Columns(3, kInputs), Epilogue::kAdd,
                     Rows{out.data(), rows, kOutStride, kOutStride}.Columns(1, kOutputs));
      return ToHost(backend, out);
    };
    EXPECT_TRUE(SameBits(run(*backend_), run(*reference_))) << rows;
  }
}

TEST_P(BackendTest, ASumThatRoundsToMinusZeroKeepsItsSign) {
  for (const size_t rows : {1, 20}) {
    const auto out = RunMatMul(*backend_, View(std::vector<float>{-1e-30f}, 1, 1), {},
                               std::vector<float>(rows, 1e-30f), rows, Epilogue::kStore,
                               std::vector<float>(rows, 1.0f));
    EXPECT_EQ(std::bit_cast<uint32_t>(out[0]), 0x80000000u) << rows;
  }
}

TEST_P(BackendTest, EmbedCopiesRowsOfTheTable) {
  Numbers numbers(3);
  const auto table = numbers.Make(35 * 20);
  const auto matrix = backend_->Pack(View(table, 35, 20));
  const std::vector<int32_t> ids = {34, 0, 16, 15};
  Buffer out = backend_->Allocate(ids.size() * 20);
  const Buffer in_backend = IdsInBackend(*backend_, ids);
  backend_->Embed(*matrix, in_backend.data<int32_t>(), {out.data(), ids.size(), 20, 20});
  const auto rows = ToHost(*backend_, out);
  for (size_t t = 0; t < ids.size(); ++t) {
    for (size_t k = 0; k < 20; ++k)
      EXPECT_EQ(rows[t * 20 + k], table[static_cast<size_t>(ids[t]) * 20 + k]);
  }
}

TEST_P(BackendTest, RmsNormHasTheBitsOfTheReferenceAndUnitMeanSquare) {
  Numbers numbers(4);
  for (const size_t cols : {1, 15, 16, 33, 80, 384}) {
    const auto x = numbers.Make(7 * cols, -3, 3);
    const auto run = [&](Backend& backend, const std::vector<float>& weight) {
      Buffer x_buffer = ToBackend(backend, x), weight_buffer = ToBackend(backend, weight);
      Buffer out = backend.Allocate(x.size());
      backend.RmsNorm(Rows{x_buffer.data(), 7, cols, cols}, weight_buffer.data(), 1e-5f,
                      {out.data(), 7, cols, cols});
      return ToHost(backend, out);
    };
    const auto weight = numbers.Make(cols);
    EXPECT_TRUE(SameBits(run(*backend_, weight), run(*reference_, weight))) << cols;
    const auto plain = run(*backend_, std::vector<float>(cols, 1.0f));
    double mean_square = 0;
    for (size_t i = 0; i < cols; ++i) mean_square += static_cast<double>(plain[i]) * plain[i];
    EXPECT_NEAR(mean_square / static_cast<double>(cols), 1.0, 1e-3) << cols;
  }
}

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

TEST_P(BackendTest, CausalConvHasTheBitsOfTheReferenceAndShiftsItsState) {
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

TEST_P(BackendTest, TheLastRowOfEachSequenceIsNormedIntoItsStateAndGatheredFromThere) {
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

TEST_P(BackendTest, SelectiveScanHasTheBitsOfTheReference) {
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

TEST_P(BackendTest, SelectiveScanFollowsItsFormula) {
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

TEST_P(BackendTest, Mamba2ScanHasTheBitsOfTheReference) {
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

TEST_P(BackendTest, Mamba2ScanFollowsItsFormula) {
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

TEST_P(BackendTest, RecurrencesOfLongManyAndSingleRowSequencesHaveTheBitsOfTheReference) {
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

TEST_P(BackendTest, AProductWithWhatFollowsItHasTheBitsOfTheReference) {
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
