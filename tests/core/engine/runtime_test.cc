// SPDX-License-Identifier: Apache-2.0
#include "core/engine/runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/core/engine/tiny_models.h"
#include "tests/made_up_backend.h"
#include "tests/temporary_directory.h"

namespace statelib::engine {
namespace {

using testing::HasSubstr;

template <typename Act>
std::pair<ErrorKind, std::string> FailureOf(const Act& act) {
  try {
    act();
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

TEST(Runtime, ATokenOutsideTheVocabularyIsRefusedBeforeAnythingIsRead) {
  const auto runtime = Runtime::OpenWithoutTokenizer(GoldenFolder("mamba"), {});
  State state = runtime->Empty();
  for (const TokenId token : {-1, 160}) {
    const std::vector<TokenId> tokens = {1, token};
    const auto [kind, message] = FailureOf([&] { runtime->Advance(state, tokens); });
    EXPECT_EQ(kind, ErrorKind::kInvalidArgument);
    EXPECT_THAT(message, HasSubstr("expected 0 to 159"));
    EXPECT_EQ(state.token_count(), 0u);
  }
}

TEST(Runtime, AnEmptyStateHasNothingToFollow) {
  const auto runtime = Runtime::OpenWithoutTokenizer(GoldenFolder("mamba"), {});
  const State state = runtime->Empty();
  EXPECT_EQ(FailureOf([&] { runtime->Logits(state); }).first, ErrorKind::kInvalidArgument);
}

TEST(Runtime, SegmentsOfAnotherModelAreRefused) {
  const auto small = Runtime::OpenWithoutTokenizer(GoldenFolder("mamba"), {});
  const auto wide = Runtime::OpenWithoutTokenizer(GoldenFolder("mamba_wide"), {});
  const State state = small->Empty();
  std::vector<Bytes> segments = small->Snapshot(state);
  std::vector<ByteSpan> views(segments.begin(), segments.end());
  EXPECT_EQ(FailureOf([&] { wide->Restore(state.history(), views); }).first, ErrorKind::kMismatch);
  views[1] = views[1].first(views[1].size() - 4);
  const auto [kind, message] = FailureOf([&] { small->Restore(state.history(), views); });
  EXPECT_EQ(kind, ErrorKind::kMismatch);
  EXPECT_THAT(message, HasSubstr("layer 0 ssm [16, 96]: expected 6144 bytes, found 6140"));
}

TEST(Runtime, CancellingStopsBetweenStepsAndLeavesASoundState) {
  const auto runtime = Runtime::OpenWithoutTokenizer(GoldenFolder("mamba"), {});
  const auto tokens = RandomTokens(5 * runtime->rows_max(), 160, 1);
  State state = runtime->Empty();
  CancelFlag cancel;
  const AdvanceControl control = {.cancel = &cancel, .on_progress = [&](uint64_t done) {
                                    if (done >= 2 * runtime->rows_max()) cancel.Cancel();
                                  }};
  EXPECT_EQ(FailureOf([&] { runtime->Advance(state, tokens, control); }).first,
            ErrorKind::kCancelled);
  EXPECT_EQ(state.token_count(), 2 * runtime->rows_max());
  State expected = runtime->Empty();
  runtime->Advance(expected, std::span(tokens).first(state.token_count()));
  EXPECT_EQ(state.history(), expected.history());
  EXPECT_TRUE(runtime->Snapshot(state) == runtime->Snapshot(expected));
}

TEST(Runtime, TheFingerprintCoversTheTokenizer) {
  const auto with = Runtime::Open(DemoModel(), {});
  const auto without = Runtime::OpenWithoutTokenizer(DemoModel(), {});
  EXPECT_EQ(with->ComputeFingerprint(), Runtime::Open(DemoModel(), {})->ComputeFingerprint());
  EXPECT_NE(with->ComputeFingerprint(), without->ComputeFingerprint());
}

TEST(Runtime, ATokenizerLargerThanTheModelIsRefused) {
  TemporaryDirectory folder;
  for (const char* file : {"config.json", "model.safetensors"}) {
    std::filesystem::copy_file(GoldenFolder("mamba") / file, folder.path() / file);
  }
  std::filesystem::copy_file(DemoModel() / "tokenizer.json", folder.path() / "tokenizer.json");
  const auto [kind, message] = FailureOf([&] { Runtime::Open(folder.path(), {}); });
  EXPECT_EQ(kind, ErrorKind::kMismatch);
  EXPECT_THAT(message, HasSubstr("expected at most the model's 160 tokens, found 8192"));
}

TEST(Runtime, UnknownBackendsAndInstructionSetsAreRefused) {
  for (const BackendChoice& choice :
       {BackendChoice{"abacus"}, BackendChoice{"cpu", {.threads = 1, .instruction_set = "mmx"}}}) {
    EXPECT_EQ(
        FailureOf([&] { Runtime::OpenWithoutTokenizer(GoldenFolder("mamba"), {choice}); }).first,
        ErrorKind::kInvalidArgument);
  }
}

TEST(Runtime, AFormatThatTheBackendLacksIsRefusedWithThoseThatItHas) {
  class Plain : public MadeUpBackend {
   public:
    using MadeUpBackend::MadeUpBackend;
    std::string ProfileOf(const kernels::ProfileRequest& request) const override {
      return request.format == kernels::WeightFormat::kBF16 ? ""
                                                            : MadeUpBackend::ProfileOf(request);
    }
  };
  static constexpr kernels::BackendEntry kEntries[] = {
      {"plain", "", [](const kernels::BackendOptions&) -> std::unique_ptr<kernels::Backend> {
         return std::make_unique<Plain>(1, false);
       }}};
  RuntimeOptions options{{"plain", {}, kEntries}};
  options.weights = "bf16";
  const auto [kind, message] =
      FailureOf([&] { Runtime::OpenWithoutTokenizer(GoldenFolder("mamba"), options); });
  EXPECT_EQ(kind, ErrorKind::kUnsupported);
  EXPECT_THAT(message, HasSubstr("take auto or f32 or int8 or int4"));
  // Where nobody asks for a format, it is no choice.
  options.weights.clear();
  const auto runtime = Runtime::OpenWithoutTokenizer(GoldenFolder("mamba"), options);
  EXPECT_EQ(runtime->profile(), "made-up-r1");
  EXPECT_EQ(runtime->profile_request().format, kernels::WeightFormat::kStored);
}

}  // namespace
}  // namespace statelib::engine
