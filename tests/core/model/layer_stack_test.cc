// SPDX-License-Identifier: Apache-2.0
// What a stack makes of its parts: residuals, scales, what is parallel, norms before and after, and
// what an observer sees.
#include "core/model/layer_stack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "kernels/backends.h"
#include "kernels/exact/math.h"
#include "tests/core/model/logits_of.h"
#include "tests/loose_tensors.h"
#include "tests/synthetic_hybrid.h"
#include "tests/temporary_directory.h"

namespace statelib::model {
namespace {

constexpr size_t kWidth = 4;

/// out = factor * x
class Times : public Part {
 public:
  explicit Times(float factor) : factor_(factor) {}
  void Run(const PartPass& pass, kernels::ConstRows x, kernels::Epilogue epilogue,
           kernels::Rows out) override {
    if (!epilogue.add)
      pass.backend.ZeroBytes(reinterpret_cast<std::byte*>(out.f32()),
                             out.rows * out.cols * sizeof(float));
    pass.backend.AddScaled(x, factor_ * epilogue.scale, out);
  }

 private:
  float factor_;
};

/// A stack over embeddings of one token whose final norm is by ones.
class StackTest : public testing::Test {
 protected:
  StackTest() {
    WriteLoose(folder_.path() / "model.safetensors",
               {FloatTensor("backbone.embeddings.weight", {1, kWidth}, {1, -2, 3, 0.5f}),
                FloatTensor("backbone.norm_f.weight", {kWidth}, {1, 1, 1, 1}),
                FloatTensor("norm", {kWidth}, {2, 2, 2, 2})});
    folder_.Write("config.json", "{}");
    files_ = OpenModelFiles(folder_.path());
    ModelDims dims;
    dims.vocabulary = 1;
    dims.hidden = kWidth;
    dims.layers = 1;
    stack_ = std::make_unique<LayerStack>(dims, *files_, *backend_);
  }

  Norm OfTwos() { return {stack_->weights().Vector("norm", kWidth), {}, 1e-5f}; }

  /// The hidden vector after the token, times the root mean square `of` of what it was normed
  /// from.
  std::vector<float> Hidden() {
    stack_->Finish();
    kernels::Buffer slot = StateAfter(*stack_, *backend_, {0});
    std::vector<float> hidden(kWidth);
    std::memcpy(hidden.data(), slot.bytes() + stack_->layout().OffsetOf(0), sizeof(float) * kWidth);
    return hidden;
  }

  static std::vector<double> Normed(std::vector<double> x, double weight = 1) {
    double mean = 0;
    for (const double value : x) mean += value * value / static_cast<double>(x.size());
    for (double& value : x) value *= weight / std::sqrt(mean + 1e-5);
    return x;
  }
  void ExpectHidden(const std::vector<double>& residual) {
    const std::vector<float> found = Hidden();
    const std::vector<double> expected = Normed(residual);
    for (size_t i = 0; i < kWidth; ++i) EXPECT_NEAR(found[i], expected[i], 1e-5) << i;
  }

  const std::vector<double> embedding_ = {1, -2, 3, 0.5};
  TemporaryDirectory folder_;
  std::unique_ptr<kernels::Backend> backend_ = kernels::MakeReferenceBackend();
  std::unique_ptr<model_files::ModelFiles> files_;
  std::unique_ptr<LayerStack> stack_;
};

TEST_F(StackTest, APartBehindANormIsAddedToTheResidualStream) {
  stack_->AddBlock(0, "norm", std::make_unique<Times>(0.5f));
  std::vector<double> residual = embedding_;
  const std::vector<double> normed = Normed(embedding_, 2);
  for (size_t i = 0; i < kWidth; ++i) residual[i] += 0.5 * normed[i];
  ExpectHidden(residual);
}

TEST_F(StackTest, ParallelPartsReadTheSameRowsAndEachHasItsScale) {
  Block block;
  block.before = OfTwos();
  block.parts.push_back({std::make_unique<Times>(3), 0.5f});
  block.parts.push_back({std::make_unique<Times>(-1), 2});
  block.scale = 0.25f;
  stack_->AddBlock(std::move(block));
  std::vector<double> residual = embedding_;
  const std::vector<double> normed = Normed(embedding_, 2);
  for (size_t i = 0; i < kWidth; ++i) residual[i] += 0.25 * (1.5 - 2) * normed[i];
  ExpectHidden(residual);
}

TEST_F(StackTest, ANormAfterAPartIsOfItsOutputAlone) {
  Block block;
  block.parts.push_back({std::make_unique<Times>(7), 1});
  block.after = OfTwos();
  block.scale = 3;
  stack_->AddBlock(std::move(block));
  std::vector<double> residual = embedding_;
  const std::vector<double> after = Normed(embedding_, 2);  // seven times as long, normed the same
  for (size_t i = 0; i < kWidth; ++i) residual[i] += 3 * after[i];
  ExpectHidden(residual);
}

TEST_F(StackTest, BlocksFollowEachOther) {
  for (int i = 0; i < 2; ++i) {
    Block block;
    block.parts.push_back({std::make_unique<Times>(1), 1});
    stack_->AddBlock(std::move(block));
  }
  std::vector<double> residual = embedding_;
  for (double& value : residual) value *= 4;
  ExpectHidden(residual);
}

/// Keeps everything that it is shown.
class Keeping : public PassObserver {
 public:
  bool Wants(int32_t layer) const override { return layer != 1; }
  void Saw(int32_t layer, std::string_view name, kernels::ConstRows rows) override {
    std::vector<float>& to = seen[{layer, std::string(name)}];
    for (size_t t = 0; t < rows.rows; ++t) {
      const float* const from = rows.f32() + t * rows.stride;
      to.insert(to.end(), from, from + rows.cols);
    }
  }
  std::map<std::pair<int32_t, std::string>, std::vector<float>> seen;
};

TEST(PassObserver, SeesTheInputsOfEachScanAndChangesNoBit) {
  const TemporaryDirectory folder;
  WriteSyntheticHybrid(folder.path());
  const auto files = OpenModelFiles(folder.path());
  const auto backend = kernels::MakeReferenceBackend();
  const auto model = LoadModel(*files, *backend, ArchitecturesWithHybrid());
  const std::vector<TokenId> tokens = {5, 80, 3, 3, 41};
  const StateLayout& layout = model->layout();
  const auto read = [&](PassObserver* observer) {
    kernels::Buffer slot = backend->Allocate(layout.slot_bytes() / sizeof(float));
    backend->ZeroBytes(slot.bytes(), slot.size_bytes());
    std::vector<kernels::Buffer> pages;
    std::vector<std::byte*> pointers;
    for (size_t group = 0; group < layout.groups(); ++group) {
      pages.push_back(backend->Allocate(layout.page_bytes(group) / sizeof(float)));
      pointers.push_back(pages.back().bytes());
    }
    const kernels::SequenceEntry entry{0, static_cast<uint32_t>(tokens.size()), 0, slot.bytes(),
                                       pointers.data()};
    model->Advance(tokens.data(), {&entry, 1, tokens.size(), tokens.size(), 1},
                   {nullptr, observer});
    return Bytes(slot.bytes(), slot.bytes() + slot.size_bytes());
  };
  Keeping observer;
  EXPECT_TRUE(read(&observer) == read(nullptr));

  std::vector<std::string> names;
  for (const auto& [what, values] : observer.seen)
    names.push_back(std::to_string(what.first) + " " + what.second);
  EXPECT_THAT(names, testing::ElementsAre("0 B", "0 C", "0 decay", "0 dt", "0 x", "3 B", "3 C",
                                          "3 decay", "3 dt", "3 x"));
  const auto& dt = observer.seen[{3, "dt"}];
  const auto& decay = observer.seen[{3, "decay"}];
  ASSERT_EQ(dt.size(), tokens.size() * 64);
  ASSERT_EQ(decay.size(), dt.size() * 8);
  const std::vector<float> a_log = model_files::ReadF32(files->Get("l3.mixer.A_log"));
  for (size_t t = 0; t < tokens.size(); ++t) {
    for (size_t i = 0; i < 64 * 8; ++i) {
      const size_t n = i / 64, e = i % 64;
      const float expected =
          kernels::exact::Exp(dt[t * 64 + e] * -kernels::exact::Exp(a_log[e * 8 + n]));
      ASSERT_EQ(decay[t * 64 * 8 + i], expected);
    }
  }
}

}  // namespace
}  // namespace statelib::model
