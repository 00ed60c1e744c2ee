// SPDX-License-Identifier: Apache-2.0
// Weights in every format: packed or mapped, the same bits; each format its own profile; what the
// rounding costs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "core/engine/quality.h"
#include "tests/core/engine/tiny_models.h"
#include "tests/temporary_directory.h"

namespace statelib::engine {
namespace {

RuntimeOptions With(const std::string& weights) {
  RuntimeOptions options;
  options.weights = weights;
  return options;
}

std::vector<Bytes> StateAfter(Runtime& runtime, const std::vector<TokenId>& tokens) {
  State state = runtime.Empty();
  runtime.Advance(state, tokens);
  return runtime.Snapshot(state);
}

const Digest kFingerprint = HashOf(AsBytes("a model"));

class WeightFormats : public testing::TestWithParam<const char*> {
 protected:
  std::unique_ptr<Runtime> Open() const {
    return Runtime::OpenWithoutTokenizer(DemoModel(), With(GetParam()));
  }
  TemporaryDirectory folder_;
};

TEST_P(WeightFormats, MappedWeightsGiveTheBitsOfPackedOnes) {
  const auto tokens = RandomTokens(5, 8000, 3);
  const auto expected = StateAfter(*Open(), tokens);
  for (const bool may_write : {true, false}) {
    const auto mapped = Open();
    mapped->UsePackedWeights(folder_.path(), kFingerprint,
                             may_write ? &FileSystem::Real() : nullptr);
    EXPECT_EQ(StateAfter(*mapped, tokens), expected);
    EXPECT_TRUE(std::filesystem::exists(folder_.path() / mapped->PackedWeightsName(kFingerprint)));
  }
}

TEST_P(WeightFormats, TheProfileChoosesTheFormat) {
  const auto runtime = Open();
  RuntimeOptions options;
  options.profile = runtime->profile();
  EXPECT_EQ(Runtime::OpenWithoutTokenizer(DemoModel(), options)->profile(), runtime->profile());
}

TEST_P(WeightFormats, PredictionsStayNearThoseOfF32) {
  const auto reference = Runtime::OpenWithoutTokenizer(DemoModel(), With("f32"));
  const auto candidate = Open();
  const std::vector<std::vector<TokenId>> texts = {RandomTokens(40, 8000, 5)};
  const Quality quality = CompareQuality(*reference, *candidate, texts, {});
  std::printf("%s: KL %.2e, largest %.2e, same likeliest token %.3f\n", GetParam(), quality.kl,
              quality.kl_largest, quality.top1_agreement);
  EXPECT_EQ(quality.predictions, 39u);
  EXPECT_GE(quality.kl, 0);
  // A small model pays most; four bits a weight are few for it.
  const double bound = candidate->profile() == "bf16-r1"   ? 0.005
                       : candidate->profile() == "int8-r1" ? 0.05
                                                           : 2.0;
  EXPECT_LT(quality.kl, bound);
  if (candidate->profile() != reference->profile()) return;
  EXPECT_EQ(quality.kl, 0);
  EXPECT_EQ(quality.top1_agreement, 1);
  EXPECT_EQ(quality.perplexity, quality.reference_perplexity);
}

INSTANTIATE_TEST_SUITE_P(Every, WeightFormats,
                         testing::Values("auto", "f32", "bf16", "int8", "int4"),
                         [](const auto& test) { return std::string(test.param); });

TEST(Weights, EachFormatThatRoundsHasItsOwnProfile) {
  std::vector<std::string> profiles;
  for (const char* weights : {"f32", "bf16", "int8", "int4"}) {
    const auto runtime = Runtime::OpenWithoutTokenizer(GoldenFolder("mamba"), With(weights));
    EXPECT_STREQ(runtime->WeightChoiceFor(runtime->profile()),
                 weights == std::string("f32") ? "auto" : weights);
    profiles.push_back(runtime->profile());
  }
  EXPECT_THAT(profiles, testing::ElementsAre("exact-f32-r1", "bf16-r1", "int8-r1", "int4-r1"));
}

TEST(Weights, AnUnknownFormatIsRefusedWithTheOnesThereAre) {
  try {
    Runtime::OpenWithoutTokenizer(GoldenFolder("mamba"), With("int3"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalidArgument);
    EXPECT_THAT(error.what(), testing::HasSubstr("auto, f32, bf16, int8, int4"));
  }
}

TEST(Weights, APackedFileThatIsDamagedIsMadeAnew) {
  const TemporaryDirectory folder;
  const auto open = [] { return Runtime::OpenWithoutTokenizer(GoldenFolder("mamba"), {}); };
  const auto first = open();
  first->UsePackedWeights(folder.path(), kFingerprint, &FileSystem::Real());
  const auto path = folder.path() / first->PackedWeightsName(kFingerprint);
  const Bytes whole = FileSystem::Real().ReadFile(path, 1 << 24);
  std::filesystem::remove(path);
  std::ofstream(path) << "not weights";
  const auto second = open();
  second->UsePackedWeights(folder.path(), kFingerprint, &FileSystem::Real());
  EXPECT_EQ(FileSystem::Real().ReadFile(path, 1 << 24), whole);
  const auto tokens = RandomTokens(9, 160, 1);
  EXPECT_EQ(StateAfter(*second, tokens), StateAfter(*open(), tokens));
}

TEST(Weights, AFolderThatCannotBeWrittenCostsOnlyTheCache) {
  const TemporaryDirectory folder;
  std::ofstream(folder.path() / "file") << "in the way";
  const auto runtime = Runtime::OpenWithoutTokenizer(GoldenFolder("mamba"), {});
  runtime->UsePackedWeights(folder.path() / "file" / "weights", kFingerprint, &FileSystem::Real());
  EXPECT_EQ(StateAfter(*runtime, {1, 2}).size(), runtime->SpecFor(0).size());
}

TEST(Logits, AfterEveryTokenAreThoseAfterReadingUpToIt) {
  const auto runtime = Runtime::OpenWithoutTokenizer(GoldenFolder("mamba"), {});
  const auto tokens = RandomTokens(130, 160, 2);
  State whole = runtime->Empty(), stepped = runtime->Empty();
  size_t read = 0;
  runtime->AdvanceWithLogits(whole, tokens, [&](std::span<const float> logits) {
    runtime->Advance(stepped, std::span(tokens).subspan(read++, 1));
    EXPECT_EQ(std::vector<float>(logits.begin(), logits.end()), runtime->Logits(stepped)) << read;
  });
  EXPECT_EQ(read, tokens.size());
  EXPECT_EQ(runtime->Snapshot(whole), runtime->Snapshot(stepped));
}

}  // namespace
}  // namespace statelib::engine
