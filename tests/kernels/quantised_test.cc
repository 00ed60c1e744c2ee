// SPDX-License-Identifier: Apache-2.0
// Matrices of every block type and format: products and rows bit by bit against the reference on
// odd sizes, the reference against double precision, and packed bytes that are used again.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <limits>

#include "kernels/aligned.h"
#include "kernels/profile.h"
#include "kernels/quantize.h"
#include "kernels/weight_blocks.h"
#include "kernels/weights.h"
#include "tests/kernels/backends_under_test.h"
#include "tests/kernels/numbers.h"
#include "tests/kernels/sequences.h"

namespace statelib::kernels {
namespace {

constexpr WeightType kBlockTypes[] = {WeightType::kQ8_0, WeightType::kQ4_0, WeightType::kQ4_1,
                                      WeightType::kQ5_0, WeightType::kQ5_1, WeightType::kQ4_K,
                                      WeightType::kQ5_K, WeightType::kQ6_K};
constexpr WeightFormat kFormats[] = {WeightFormat::kF32, WeightFormat::kBF16, WeightFormat::kInt8,
                                     WeightFormat::kInt4};

/// A matrix as a file has it.
struct Stored {
  WeightType type;
  size_t rows, cols;
  std::vector<std::byte> bytes;

  WeightView view() const { return {bytes.data(), type, rows, cols}; }
};

/// Blocks of random bits, but for the halves, which are between 2^-10 and 2^-6.
Stored RandomBlocks(std::mt19937& engine, WeightType type, size_t rows, size_t cols) {
  Stored stored{type, rows, cols, std::vector<std::byte>(rows * RowBytes(type, cols))};
  for (std::byte& byte : stored.bytes) byte = static_cast<std::byte>(engine());
  const size_t d_at = type == WeightType::kQ6_K ? 208 : 0;
  for (size_t at = 0; at < stored.bytes.size(); at += InfoOf(type).block_bytes) {
    for (size_t half = 0; half < (LayoutOf(type).has_minimums ? 2 : 1); ++half)
      stored.bytes[at + d_at + 2 * half + 1] = static_cast<std::byte>(0x14 + engine() % 16);
  }
  return stored;
}

Stored RandomFloats(Numbers& numbers, size_t rows, size_t cols) {
  const auto values = numbers.Make(rows * cols);
  Stored stored{WeightType::kF32, rows, cols, std::vector<std::byte>(values.size() * 4)};
  std::memcpy(stored.bytes.data(), values.data(), stored.bytes.size());
  return stored;
}

std::vector<float> Multiply(Backend& backend, const Matrix& matrix, const std::vector<float>& x,
                            size_t rows, Epilogue epilogue, const std::vector<float>& before,
                            const std::vector<float>& bias = {}) {
  Buffer x_buffer = ToBackend(backend, x), out = ToBackend(backend, before),
         bias_buffer = ToBackend(backend, bias);
  backend.MatMul(matrix, bias.empty() ? nullptr : bias_buffer.data(),
                 Rows{x_buffer.data(), rows, matrix.cols(), matrix.cols()}, epilogue,
                 {out.data(), rows, matrix.rows(), matrix.rows()});
  return ToHost(backend, out);
}

std::vector<float> Multiply(Backend& backend, const Matrix& matrix, const std::vector<float>& x,
                            size_t rows) {
  return Multiply(backend, matrix, x, rows, Epilogue::kStore,
                  std::vector<float>(rows * matrix.rows()));
}

/// Every row of a matrix, by Embed.
std::vector<float> Decoded(Backend& backend, const Matrix& matrix) {
  std::vector<int32_t> ids(matrix.rows());
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(i);
  Buffer out = backend.Allocate(matrix.rows() * matrix.cols());
  const Buffer in_backend = IdsInBackend(backend, ids);
  backend.Embed(matrix, in_backend.data<int32_t>(),
                {out.data(), ids.size(), matrix.cols(), matrix.cols()});
  return ToHost(backend, out);
}

class QuantisedTest : public testing::TestWithParam<BackendRecipe> {
 protected:
  void ExpectSameBits(const Stored& stored, WeightFormat format, const std::vector<size_t>& rows) {
    const auto ours = backend_->Pack(stored.view(), format),
               want = reference_->Pack(stored.view(), format);
    const std::string label = std::string(NameOf(stored.type)) + " as " + NameOf(format) + ", " +
                              std::to_string(stored.cols) + " -> " + std::to_string(stored.rows);
    EXPECT_TRUE(SameBits(Decoded(*backend_, *ours), Decoded(*reference_, *want))) << label;
    const auto bias = numbers_.Make(stored.rows);
    for (const size_t t : rows) {
      const auto x = numbers_.Make(t * stored.cols, -4, 4), before = numbers_.Make(t * stored.rows);
      for (const Epilogue epilogue : {Epilogue::kStore, Epilogue::kAdd, Epilogue::kSoftplus}) {
        EXPECT_TRUE(SameBits(Multiply(*backend_, *ours, x, t, epilogue, before, bias),
                             Multiply(*reference_, *want, x, t, epilogue, before, bias)))
            << label << ", " << t << " rows, epilogue " << static_cast<int>(epilogue.activation)
            << epilogue.add;
      }
    }
  }

  Numbers numbers_{11};
  std::mt19937 engine_{12};
  std::unique_ptr<Backend> backend_ = GetParam().make();
  std::unique_ptr<Backend> reference_ = MakeReferenceBackend();
};

INSTANTIATE_TEST_SUITE_P(All, QuantisedTest, testing::ValuesIn(BackendsUnderTest()),
                         [](const auto& recipe) { return recipe.param.label; });

TEST_P(QuantisedTest, BlocksOfAFileHaveTheBitsOfTheReference) {
  for (const WeightType type : kBlockTypes) {
    const size_t block = InfoOf(type).block_elements;
    for (const size_t outputs : {1, 16, 35, 130}) {
      for (const size_t blocks : {1, 3}) {
        ExpectSameBits(RandomBlocks(engine_, type, outputs, blocks * block), WeightFormat::kStored,
                       {1, 2, 5, 6, 13});
      }
    }
    ExpectSameBits(RandomBlocks(engine_, type, 70, 2304), WeightFormat::kStored, {1, 7});
  }
}

TEST_P(QuantisedTest, FormatsHaveTheBitsOfTheReferenceOnOddSizes) {
  for (const WeightFormat format : kFormats) {
    for (const auto& [outputs, inputs] : std::vector<std::pair<size_t, size_t>>{
             {1, 1}, {17, 31}, {35, 33}, {96, 48}, {130, 300}, {33, 769}}) {
      ExpectSameBits(RandomFloats(numbers_, outputs, inputs), format, {1, 3, 4, 16});
    }
  }
}

TEST_P(QuantisedTest, ManyRowsHaveTheBitsOfTheReference) {
  for (const WeightFormat format : kFormats)
    ExpectSameBits(RandomFloats(numbers_, 40, 72), format, {389});
}

TEST_P(QuantisedTest, BlocksInAnotherFormatAreTheirDecodedValuesInIt) {
  for (const WeightType type : kBlockTypes) {
    const Stored blocks = RandomBlocks(engine_, type, 19, 256);
    Stored decoded{WeightType::kF32, 19, 256, std::vector<std::byte>(19 * 256 * 4)};
    DecodeBlocks(type, blocks.bytes,
                 {reinterpret_cast<float*>(decoded.bytes.data()), size_t{19 * 256}});
    const auto x = numbers_.Make(3 * 256);
    for (const WeightFormat format : kFormats) {
      if (HeldType(type, format) == type) continue;  // they stay as they are
      const auto ours = backend_->Pack(blocks.view(), format),
                 want = backend_->Pack(decoded.view(), format);
      EXPECT_TRUE(SameBits(Multiply(*backend_, *ours, x, 3), Multiply(*backend_, *want, x, 3)))
          << NameOf(type) << " as " << NameOf(format);
    }
  }
}

TEST_P(QuantisedTest, InputsThatAreTinyZeroOrNotFiniteHaveTheBitsOfTheReference) {
  const Stored stored = RandomFloats(numbers_, 20, 96);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const WeightFormat format : kFormats) {
    const auto ours = backend_->Pack(stored.view(), format),
               want = reference_->Pack(stored.view(), format);
    for (const float value : {0.0f, -0.0f, 1e-45f, 1e-38f, -3e-31f, 1e-20f, 3e38f}) {
      auto x = numbers_.Make(2 * 96, -1, 1);
      std::fill(x.begin(), x.begin() + 40, value);
      x[50] = value;
      EXPECT_TRUE(SameBits(Multiply(*backend_, *ours, x, 2), Multiply(*reference_, *want, x, 2)))
          << NameOf(format) << " " << value;
    }
    for (const float value : {kInfinity, -kInfinity, std::nanf("")}) {
      auto x = numbers_.Make(2 * 96, -1, 1);
      x[70] = value;
      const auto out = Multiply(*backend_, *ours, x, 2);
      for (size_t o = 0; o < 20; ++o) {
        EXPECT_FALSE(std::isfinite(out[o])) << NameOf(format) << " " << value;
        EXPECT_TRUE(std::isfinite(out[20 + o])) << NameOf(format) << " " << value;
      }
    }
  }
}

TEST_P(QuantisedTest, ARowsResultDoesNotDependOnTheOtherRows) {
  for (const WeightFormat format : kFormats) {
    const auto matrix = backend_->Pack(RandomFloats(numbers_, 100, 200).view(), format);
    const auto x = numbers_.Make(23 * 200);
    const auto together = Multiply(*backend_, *matrix, x, 23);
    for (size_t t = 0; t < 23; ++t) {
      const auto alone =
          Multiply(*backend_, *matrix, {x.begin() + t * 200, x.begin() + (t + 1) * 200}, 1);
      EXPECT_TRUE(SameBits(alone, {together.begin() + t * 100, together.begin() + (t + 1) * 100}))
          << NameOf(format) << " row " << t;
    }
  }
}

TEST_P(QuantisedTest, WhatFollowsABf16ProductKeepsItsSubnormals) {
  constexpr size_t kInputs = 64, kChannels = 300;
  const auto matrix =
      backend_->Pack(RandomFloats(numbers_, kChannels, kInputs).view(), WeightFormat::kBF16);
  Buffer x = ToBackend(*backend_, numbers_.Make(kInputs)),
         tap = ToBackend(*backend_, std::vector<float>(kChannels, 1e-40f)),
         bias = ToBackend(*backend_, std::vector<float>(kChannels)),
         product = backend_->Allocate(kChannels), out = backend_->Allocate(kChannels);
  const Rows in{x.data(), 1, kInputs, kInputs}, channels{product.data(), 1, kChannels, kChannels};
  Buffer no_window = backend_->Allocate(1);
  const Sequences sequences(*backend_, {1}, no_window.data(), 0);
  backend_->MatMulThenConv(*matrix, nullptr, in, channels,
                           {channels, tap.data(), bias.data(), 1, sequences.table(), 0,
                            Rows{out.data(), 1, kChannels, kChannels}});
  const auto products = ToHost(*backend_, product), convolved = ToHost(*backend_, out);
  for (size_t e = 0; e < kChannels; ++e)
    EXPECT_EQ(convolved[e], products[e] * 1e-40f / 2) << "channel " << e;
}

TEST_P(QuantisedTest, ProductsAreWithinTheErrorOfTheirInputs) {
  constexpr size_t kRows = 5, kInputs = 700, kOutputs = 37;
  for (const WeightFormat format : kFormats) {
    const auto matrix = backend_->Pack(RandomFloats(numbers_, kOutputs, kInputs).view(), format);
    const auto weights = Decoded(*backend_, *matrix);
    const auto x = numbers_.Make(kRows * kInputs, -3, 3);
    const auto out = Multiply(*backend_, *matrix, x, kRows);
    double worst = 0;
    for (size_t t = 0; t < kRows; ++t) {
      for (size_t o = 0; o < kOutputs; ++o) {
        double sum = 0, bound = 0, norm = 0;
        for (size_t k = 0; k < kInputs; ++k) {
          const double w = weights[o * kInputs + k], v = x[t * kInputs + k];
          sum += w * v;
          norm += std::fabs(w * v);
          // Half a step of the input's grid: a bf16 has 8 bits; a block of 32 has 127 steps.
          double step = 0;
          if (format == WeightFormat::kBF16) step = std::fabs(v) * 0x1p-8;
          if (format == WeightFormat::kInt8 || format == WeightFormat::kInt4) {
            double largest = 0;
            for (size_t i = k / 32 * 32; i < std::min(k / 32 * 32 + 32, kInputs); ++i)
              largest = std::max(largest, std::fabs(static_cast<double>(x[t * kInputs + i])));
            step = largest / 127 / 2 * (1 + 1e-5);
          }
          bound += std::fabs(w) * step;
        }
        // Roundings of the f32 sum. Codes and minimums of a K block cancel: count both.
        bound += 0x1p-24 * kInputs * 8 * norm;
        const double error = std::fabs(out[t * kOutputs + o] - sum);
        ASSERT_LE(error, bound) << NameOf(format);
        worst = std::max(worst, error / bound);
      }
    }
    std::printf("%s: largest error %.3f of its bound\n", NameOf(format), worst);
  }
}

TEST_P(QuantisedTest, MappedBytesGiveTheMatrixThatWasPacked) {
  if (backend_->packed_layout().empty()) {
    const auto matrix = backend_->Pack(RandomFloats(numbers_, 3, 5).view());
    EXPECT_TRUE(matrix->packed().empty());
    EXPECT_THROW(backend_->Map(matrix->description(), {}), std::runtime_error);
    return;
  }
  std::vector<Stored> matrices;
  for (const WeightType type : kBlockTypes)
    matrices.push_back(RandomBlocks(engine_, type, 35, 2 * InfoOf(type).block_elements));
  std::vector<WeightFormat> formats(matrices.size(), WeightFormat::kStored);
  for (const WeightFormat format : {WeightFormat::kStored, WeightFormat::kF32, WeightFormat::kBF16,
                                    WeightFormat::kInt8, WeightFormat::kInt4}) {
    matrices.push_back(RandomFloats(numbers_, 35, 45));
    formats.push_back(format);
  }
  for (size_t i = 0; i < matrices.size(); ++i) {
    const WeightFormat format = formats[i];
    auto packed = backend_->Pack(matrices[i].view(), format);
    const MatrixDescription description = packed->description();
    const size_t size = packed->packed().size();
    EXPECT_GT(size, 0u);
    const AlignedBytes kept = AllocateAligned(size);
    std::memcpy(kept.get(), packed->packed().data(), size);
    const auto x = numbers_.Make(4 * packed->cols());
    const auto want = Multiply(*backend_, *packed, x, 4);
    packed.reset();
    const auto mapped = backend_->Map(description, {kept.get(), size});
    EXPECT_EQ(mapped->packed().data(), kept.get());
    EXPECT_EQ(mapped->description(), description);
    EXPECT_TRUE(SameBits(Multiply(*backend_, *mapped, x, 4), want)) << i;
  }
}

TEST_P(QuantisedTest, BytesThatDoNotFitTheirDescriptionAreRefused) {
  if (backend_->packed_layout().empty()) return;
  const auto packed = backend_->Pack(RandomFloats(numbers_, 35, 45).view(), WeightFormat::kInt4);
  const MatrixDescription good = packed->description();
  const auto bytes = packed->packed();
  const auto refused = [&](MatrixDescription description, std::span<const std::byte> from) {
    EXPECT_THROW(backend_->Map(description, from), std::invalid_argument)
        << description.kind << " " << description.rows << " " << description.cols;
  };
  for (size_t cut : {size_t{1}, size_t{64}, bytes.size()})
    refused(good, bytes.first(bytes.size() - cut));
  refused(good, bytes.subspan(1));
  refused({0, good.rows, good.cols}, bytes);
  refused({9999, good.rows, good.cols}, bytes);
  refused({good.kind, good.rows + 16, good.cols}, bytes);
  refused({good.kind, good.rows, good.cols + 300}, bytes);
  refused({good.kind, ~uint64_t{0}, good.cols}, bytes);
  refused({good.kind, good.rows, ~uint64_t{0}}, bytes);
  refused({good.kind, uint64_t{1} << 32, uint64_t{1} << 32}, bytes);
  EXPECT_NO_THROW(backend_->Map(good, bytes));
}

}  // namespace
}  // namespace statelib::kernels
