// SPDX-License-Identifier: Apache-2.0
// Convolution and norm over bf16 rows on the GPU: the same bits for every cut, batch and slot; the
// norm's are those of its order in scalar code.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "kernels/backends.h"
#include "kernels/cuda/bf16_causal_conv.h"
#include "kernels/cuda/bf16_rms_norm.h"
#include "kernels/cuda/tensor_product.h"
#include "tests/kernels/device_values.h"

namespace statelib::kernels::cuda {
namespace {

constexpr uint16_t kUntouched = 0x7fc1;

class BF16RowKernels : public testing::Test {
 protected:
  void SetUp() override {
    if (CudaDevices().empty()) GTEST_SKIP() << "NO GPU: kernels over bf16 rows are not tested here";
    if (!HasTensorCodeForDevice()) GTEST_SKIP() << "no bf16 kernels for this GPU";
  }
};
using BF16CausalConv = BF16RowKernels;
using BF16RmsNorm = BF16RowKernels;

template <typename Call>
void ExpectRefusal(const Call& call, const std::string& text) {
  try {
    call();
    ADD_FAILURE() << "no error of: " << text;
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(text));
  }
}

struct Sequence {
  size_t first_row, rows;
};

struct Conv {
  Conv(size_t rows_in, size_t channels_in, size_t kernel_in)
      : rows(rows_in),
        channels(channels_in),
        kernel(kernel_in),
        x(RandomBF16(rows * stride(), 1)),
        weight(Uniform(kernel * channels, -1, 1, 2)),
        bias(Uniform(channels, -1, 1, 3)) {}
  size_t stride() const { return channels + 12; }
  size_t state_size() const { return (kernel - 1) * channels; }

  size_t rows, channels, kernel;
  std::vector<uint16_t> x;
  std::vector<float> weight, bias;
};

struct Result {
  std::vector<uint16_t> out;
  std::vector<float> states;
};

Result RunConv(const Conv& conv, const std::vector<Sequence>& sequences, size_t cut,
               const std::vector<float>& before) {
  const DeviceBytes x = ToDevice(conv.x), weight = ToDevice(conv.weight),
                    bias = ToDevice(conv.bias), states = ToDevice(before),
                    out = ToDevice(std::vector<uint16_t>(conv.x.size(), kUntouched));
  size_t longest = 0;
  for (const Sequence& sequence : sequences) longest = std::max(longest, sequence.rows);
  for (size_t first = 0; first < longest; first += std::min(cut, longest)) {
    std::vector<DeviceSequence> table;
    for (size_t i = 0; i < sequences.size(); ++i) {
      const size_t begin = std::min(first, sequences[i].rows);
      table.push_back({static_cast<uint32_t>(sequences[i].first_row + begin),
                       static_cast<uint32_t>(std::min(cut, sequences[i].rows - begin)),
                       At<float>(states) + i * conv.state_size()});
    }
    const DeviceBytes on_device = ToDevice(table);
    LaunchBF16CausalConv({{At<uint16_t>(x), conv.stride()},
                          At<float>(weight),
                          At<float>(bias),
                          conv.channels,
                          conv.kernel,
                          At<DeviceSequence>(on_device),
                          table.size(),
                          std::min(cut, longest),
                          {At<uint16_t>(out), conv.stride()},
                          kStream});
    CheckCuda(cudaDeviceSynchronize(), "convolution");
  }
  return {FromDevice<uint16_t>(out, conv.x.size()), FromDevice<float>(states, before.size())};
}

void ExpectSame(const Result& got, const Result& want) {
  ASSERT_EQ(FirstDifference(got.states, want.states), "");
  ASSERT_EQ(FirstDifference(got.out, want.out), "");
}

TEST_F(BF16CausalConv, SameBitsForEveryCut) {
  for (const size_t kernel : {2, 3, 4}) {
    for (const size_t channels : {4, 516, 5120}) {
      const Conv conv(203, channels, kernel);
      const std::vector<float> before = Uniform(conv.state_size(), -1, 1, 4);
      const Result want = RunConv(conv, {{0, 203}}, 203, before);
      for (const size_t cut : {1, 2, 7, 64})
        ExpectSame(RunConv(conv, {{0, 203}}, cut, before), want);
    }
  }
}

TEST_F(BF16CausalConv, SameBitsInEveryBatchAndSlot) {
  const std::vector<Sequence> sequences{{0, 100},  {100, 1}, {101, 0},
                                        {101, 33}, {140, 2}, {142, 61}};
  const Conv conv(203, 264, 4);
  const size_t size = conv.state_size();
  const std::vector<float> before = Uniform(size * sequences.size(), -1, 1, 4);
  Result alone{std::vector<uint16_t>(conv.x.size(), kUntouched), {}};
  for (size_t i = 0; i < sequences.size(); ++i) {
    const auto state = before.begin() + static_cast<std::ptrdiff_t>(i * size);
    const Result one =
        RunConv(conv, {sequences[i]}, 203, {state, state + static_cast<std::ptrdiff_t>(size)});
    alone.states.insert(alone.states.end(), one.states.begin(), one.states.end());
    for (size_t at = 0; at < one.out.size(); ++at)
      if (one.out[at] != kUntouched) alone.out[at] = one.out[at];
  }
  for (const size_t cut : {1, 5, 203}) ExpectSame(RunConv(conv, sequences, cut, before), alone);
}

TEST_F(BF16CausalConv, IsTheFormulaAndLeavesTheLastInputs) {
  const Conv conv(50, 64, 4);
  const std::vector<float> before = Uniform(conv.state_size(), -1, 1, 4);
  const Result got = RunConv(conv, {{0, 50}}, 50, before);
  const auto input = [&](int row, size_t e) {
    return static_cast<double>(
        row < 0 ? before[static_cast<size_t>(row + 3) * 64 + e]
                : FromBF16(conv.x[static_cast<size_t>(row) * conv.stride() + e]));
  };
  for (int t = 0; t < 50; ++t) {
    for (size_t e = 0; e < 64; ++e) {
      double sum = static_cast<double>(conv.bias[e]), size = std::abs(sum);
      for (int j = 0; j < 4; ++j) {
        const double part =
            static_cast<double>(conv.weight[static_cast<size_t>(j) * 64 + e]) * input(t - 3 + j, e);
        sum += part;
        size += std::abs(part);
      }
      const double want = sum / (1 + std::exp(-sum));
      EXPECT_NEAR(
          static_cast<double>(FromBF16(got.out[static_cast<size_t>(t) * conv.stride() + e])), want,
          std::abs(want) * 0x1p-8 + size * 0x1p-20);
    }
  }
  for (int j = 0; j < 3; ++j) {
    for (size_t e = 0; e < 64; ++e)
      EXPECT_EQ(static_cast<double>(got.states[static_cast<size_t>(j) * 64 + e]), input(47 + j, e));
  }
}

TEST_F(BF16CausalConv, RefusesWhatItCannotTake) {
  const DeviceBytes bytes = AllocateDevice(65536);
  auto* rows = At<uint16_t>(bytes);
  const auto launch = [&](size_t channels, size_t kernel, const uint16_t* x, size_t stride) {
    LaunchBF16CausalConv({{x, stride},
                          At<float>(bytes),
                          At<float>(bytes),
                          channels,
                          kernel,
                          At<DeviceSequence>(bytes),
                          1,
                          1,
                          {rows, 64},
                          kStream});
  };
  ExpectRefusal([&] { launch(62, 4, rows, 64); }, "multiple of 4");
  ExpectRefusal([&] { launch(64, 5, rows, 64); }, "2 to 4 taps, got 5");
  ExpectRefusal([&] { launch(64, 4, rows, 65); }, "multiples of 4, got 65");
  ExpectRefusal([&] { launch(64, 4, rows + 1, 64); }, "multiples of 8 bytes");
}

/// One row of the norm in the order of its header.
std::vector<uint16_t> NormOf(const float* x, const std::vector<float>& weight, float epsilon) {
  std::array<float, 128> chains{};
  for (size_t i = 0; i < weight.size(); ++i) {
    float& sum = chains[i / 4 % 128];
    sum = std::fma(x[i], x[i], sum);
  }
  for (size_t half = 64; half > 0; half /= 2)
    for (size_t l = 0; l < half; ++l) chains[l] = chains[l] + chains[l + half];
  const float mean = chains[0] / static_cast<float>(weight.size());
  const float scale = 1.0f / std::sqrt(mean + epsilon);
  std::vector<uint16_t> out;
  for (size_t i = 0; i < weight.size(); ++i) out.push_back(ToBF16((x[i] * scale) * weight[i]));
  return out;
}

TEST_F(BF16RmsNorm, HasTheBitsOfItsOrderInScalarCode) {
  for (const size_t columns : {4, 132, 768, 1024, 2560, 4100, 8192}) {
    for (const size_t rows : {1, 3, 1029}) {
      const size_t stride = columns + 4;
      const std::vector<float> x = Uniform(rows * stride, -3, 3, 5),
                               weight = Uniform(columns, -1, 2, 6);
      const DeviceBytes x_device = ToDevice(x), weight_device = ToDevice(weight),
                        out = ToDevice(std::vector<uint16_t>(rows * stride, kUntouched));
      LaunchBF16RmsNorm({{At<float>(x_device), stride},
                         At<float>(weight_device),
                         1e-5f,
                         rows,
                         columns,
                         {At<uint16_t>(out), stride},
                         kStream});
      const auto got = FromDevice<uint16_t>(out, rows * stride);
      std::vector<uint16_t> want(rows * stride, kUntouched);
      for (size_t row = 0; row < rows; ++row) {
        const std::vector<uint16_t> of_row = NormOf(x.data() + row * stride, weight, 1e-5f);
        std::copy(of_row.begin(), of_row.end(),
                  want.begin() + static_cast<std::ptrdiff_t>(row * stride));
      }
      ASSERT_EQ(FirstDifference(got, want), "") << columns << " columns, " << rows << " rows";
    }
  }
}

TEST_F(BF16RmsNorm, RefusesWhatItCannotTake) {
  const DeviceBytes bytes = AllocateDevice(65536);
  const auto launch = [&](size_t columns, size_t rows, size_t stride) {
    LaunchBF16RmsNorm({{At<float>(bytes), stride},
                       At<float>(bytes),
                       1e-5f,
                       rows,
                       columns,
                       {At<uint16_t>(bytes), 64},
                       kStream});
  };
  ExpectRefusal([&] { launch(62, 1, 64); }, "d_model is a multiple of 4");
  ExpectRefusal([&] { launch(64, 0, 64); }, "at least one row");
  ExpectRefusal([&] { launch(64, 1, 66); }, "multiples of 4, got 66");
}

}  // namespace
}  // namespace statelib::kernels::cuda
