// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "statestore/library/diff.h"
#include "statestore/library/history.h"
#include "statestore/library/inspect.h"
#include "statestore/library/organise.h"
#include "statestore/library/proof.h"
#include "statestore/storage/maintenance.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/library/demo_library.h"

namespace statelib::library {
namespace {

using storage::Codec;

constexpr const char* kText =
    "The lighthouse keeper wrote one line each evening. On Monday the wind came from the west.";

class RecodeTest : public DemoLibrary {
 protected:
  SavedState RecodeAs(const std::string& from, const std::string& to, const CodecRequest& codec) {
    return Recode(library_, model_, library_.Resolve(from), storage::Reference::Parse(to), codec);
  }
};

TEST_F(RecodeTest, Int8IsUnderAQuarterOfRawAndNearTheExactState) {
  IngestText("log", kText);
  const SavedState saved = RecodeAs("log", "log:small", {.codec = Codec::kInt8});
  ASSERT_TRUE(saved.fidelity);
  std::printf(
      "int8: %.3f of raw, mean KL %.2e, largest %.2e, top-1 %.3f\n",
      static_cast<double>(saved.state.stored_bytes) / static_cast<double>(saved.state.raw_bytes),
      saved.fidelity->mean_kl, saved.fidelity->largest_kl, saved.fidelity->top1_agreement);
  EXPECT_LE(saved.state.stored_bytes * 4, saved.state.raw_bytes);
  EXPECT_LT(saved.fidelity->mean_kl, 1e-3);
  EXPECT_GE(saved.fidelity->top1_agreement, 0.9);
  EXPECT_EQ(saved.fidelity->layer_errors.size(), 12u);
}

TEST_F(RecodeTest, Bf16IsSmallerThanExactAndNearerThanInt8) {
  const IngestResult exact = IngestText("log", kText);
  const SavedState bf16 = RecodeAs("log", "log:bf16", {.codec = Codec::kBf16});
  const SavedState int8 = RecodeAs("log", "log:int8", {.codec = Codec::kInt8});
  EXPECT_LT(bf16.state.stored_bytes, exact.saved.state.stored_bytes);
  EXPECT_LT(bf16.fidelity->mean_kl, int8.fidelity->mean_kl);
}

TEST_F(RecodeTest, KeepsTheFiguresInTheStateAndItsParentInTheLineage) {
  IngestText("log", kText);
  const SavedState saved = RecodeAs("log", "log", {.codec = Codec::kInt8});
  EXPECT_EQ(saved.reference.version, 2u);
  const StateDetails details = Show(library_, "log");
  EXPECT_EQ(details.fidelity, saved.fidelity);
  EXPECT_EQ(details.fidelity->exact_content, library_.Resolve("log@1").state.content);
  EXPECT_EQ(details.lineage[0].operation, storage::Operation::kRecode);
  EXPECT_EQ(details.lineage[1].operation, storage::Operation::kIngest);
}

TEST_F(RecodeTest, ALossBeyondTheLimitStoresNothing) {
  IngestText("log", kText);
  ExpectError(ErrorKind::kInvalidArgument, "allowed are 1e-12",
              [&] { RecodeAs("log", "log:small", {.codec = Codec::kInt8, .kl_max = 1e-12}); });
  EXPECT_THROW(library_.Resolve("log:small"), Error);
}

TEST_F(RecodeTest, TheProfileMarksTheStateAndAllThatGoesOnFromIt) {
  IngestText("log", kText);
  RecodeAs("log", "small", {.codec = Codec::kInt8});
  EXPECT_EQ(library_.Resolve("small").state.profile, model_.runtime->profile() + "+int8");
  AppendText("small", " On Tuesday it turned.");
  EXPECT_EQ(library_.Resolve("small@2").state.profile, model_.runtime->profile() + "+int8");
}

TEST_F(RecodeTest, ALossyStateIsNeverTakenForTheExactOneOfItsTokens) {
  IngestText("log", kText);
  RecodeAs("log", "small", {.codec = Codec::kInt8});
  AppendText("small", " On Tuesday it turned.");
  AppendText("log", " On Tuesday it turned.");
  EXPECT_NE(library_.Resolve("log").state.content, library_.Resolve("small").state.content);
  EXPECT_EQ(library_.Resolve("log").state.history, library_.Resolve("small").state.history);
}

TEST_F(RecodeTest, ReadingStraightIntoALossyCodecGivesTheRecodedState) {
  IngestText("log", kText);
  IngestOptions options;
  options.codec.codec = Codec::kInt8;
  const IngestResult direct = IngestText("direct", kText, options);
  EXPECT_EQ(direct.saved.state.id, RecodeAs("log", "small", {.codec = Codec::kInt8}).state.id);
}

TEST_F(RecodeTest, TheSameCodecTwiceIsRefused) {
  IngestText("log", kText);
  RecodeAs("log", "small", {.codec = Codec::kInt8});
  ExpectError(ErrorKind::kInvalidArgument, "changes nothing",
              [&] { RecodeAs("small", "smaller", {.codec = Codec::kInt8}); });
  ExpectError(ErrorKind::kInvalidArgument, "changes nothing",
              [&] { RecodeAs("log", "log", {.codec = Codec::kExact}); });
}

TEST_F(RecodeTest, VerifyFindsLossyStatesSound) {
  IngestText("log", kText);
  RecodeAs("log", "small", {.codec = Codec::kInt8});
  EXPECT_TRUE(storage::Verify(library_.repository()).problems.empty());
}

/// One token of the demo model, and a text of 64 and more.
constexpr const char* kStep = " The";
std::string ManyWords() {
  std::string text;
  for (int i = 0; i < 40; ++i) text += " The bell rang and the boats came in.";
  return text;
}

class DeltaTest : public RecodeTest {
 protected:
  CodecRequest delta_{.codec = Codec::kDelta};
  /// "log" and, a token later, "next", which is a delta to it as "next:delta".
  SavedState MakeDelta() {
    IngestText("log", kText);
    Copy(library_, "log", storage::Reference::Parse("next"));
    AppendText("next", kStep);
    return RecodeAs("next", "next:delta", delta_);
  }
};

TEST_F(DeltaTest, IsSmallerAndTheSameState) {
  const SavedState saved = MakeDelta();
  const storage::StateRow exact = library_.Resolve("next").state;
  ASSERT_TRUE(saved.delta->used);
  std::printf("delta after a token: %.3f of exact\n",
              static_cast<double>(saved.delta->delta_bytes) /
                  static_cast<double>(saved.delta->exact_bytes));
  EXPECT_EQ(saved.state.base, library_.Resolve("log").state.id);
  EXPECT_LT(saved.state.stored_bytes, exact.stored_bytes);
  EXPECT_EQ(saved.state.content, exact.content);
  EXPECT_EQ(saved.state.profile, exact.profile);
  EXPECT_FALSE(saved.fidelity);
  const LoadedState a = LoadState(library_, model_, library_.Resolve("next"));
  const LoadedState b = LoadState(library_, model_, library_.Resolve("next:delta"));
  EXPECT_EQ(model_.runtime->Snapshot(a.state), model_.runtime->Snapshot(b.state));
  EXPECT_EQ(Show(library_, "next:delta").segments[1].codec, "delta");
  EXPECT_TRUE(storage::Verify(library_.repository()).problems.empty());
}

TEST_F(DeltaTest, OfAFarStateStaysExactAndChangesNothing) {
  IngestText("log", kText);
  AppendText("log", ManyWords());
  const SavedState saved = RecodeAs("log", "log", delta_);
  EXPECT_FALSE(saved.delta->used);
  EXPECT_EQ(saved.delta->base, library_.Resolve("log@1").state.id);
  EXPECT_TRUE(saved.version_before);
  EXPECT_EQ(saved.reference.version, 2u);
}

TEST_F(DeltaTest, IsMadeWhileReadingToo) {
  IngestText("log", kText);
  IngestOptions options;
  options.codec = delta_;
  const IngestResult result = AppendText("log", kStep, options);
  ASSERT_TRUE(result.saved.delta);
  EXPECT_TRUE(result.saved.delta->used);
  EXPECT_EQ(result.saved.state.base, library_.Resolve("log@1").state.id);
}

TEST_F(DeltaTest, BecomesWholeAgainAndIsRefusedTwice) {
  MakeDelta();
  ExpectError(ErrorKind::kInvalidArgument, "changes nothing",
              [&] { RecodeAs("next:delta", "next:delta", delta_); });
  const SavedState whole = RecodeAs("next:delta", "next:delta", {.codec = Codec::kExact});
  EXPECT_EQ(whole.state.id, library_.Resolve("next").state.id);
  EXPECT_EQ(whole.reference.version, 2u);
}

TEST_F(DeltaTest, IsNotMadeOfWhatALossyCodecMade) {
  IngestText("log", kText);
  RecodeAs("log", "small", {.codec = Codec::kInt8});
  ExpectError(ErrorKind::kInvalidArgument, "changes nothing",
              [&] { RecodeAs("small", "small", delta_); });
}

TEST_F(DeltaTest, GoesThroughALossyCodecAsTheExactStateDoes) {
  MakeDelta();
  EXPECT_EQ(RecodeAs("next:delta", "a", {.codec = Codec::kInt8}).state.id,
            RecodeAs("next", "b", {.codec = Codec::kInt8}).state.id);
}

TEST_F(DeltaTest, IsGoneOnFromReusedComparedAndProvedLikeAnyOther) {
  MakeDelta();
  const storage::StateId delta = library_.Resolve("next:delta").state.id;
  Remove(library_, {storage::Reference::Parse("log"), storage::Reference::Parse("next")}, false);
  storage::CollectGarbage(library_.repository(), {.now_ms = int64_t{1} << 42});
  EXPECT_TRUE(Diff(library_, library_.Resolve("next:delta"), library_.Resolve(delta.Hex()), nullptr,
                   nullptr)
                  .segments.front()
                  .equal_bytes);
  EXPECT_TRUE(Rederive(library_, model_, library_.Resolve("next:delta"), {}).equal_bytes);
  EXPECT_EQ(Show(library_, "next:delta").proofs.size(), 1u);
  const StateAtResult at = StateAt(library_, model_, library_.Resolve("next:delta"),
                                   library_.Resolve("next:delta").state.history.token_count(), {});
  EXPECT_EQ(at.content, library_.Resolve("next:delta").state.content);
  EXPECT_EQ(at.tokens_read, 0u);
  const IngestResult more = IngestText("more", std::string(kText) + kStep + " bell rang.");
  EXPECT_EQ(more.reused->id, delta);
  AppendText("next:delta", " bell rang.");
  EXPECT_EQ(library_.Resolve("next:delta").state.content, more.saved.state.content);
  EXPECT_TRUE(storage::Verify(library_.repository()).problems.empty());
}

}  // namespace
}  // namespace statelib::library
