// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/proof.h"

#include <gmock/gmock.h>

#include "statestore/library/inspect.h"
#include "statestore/storage/publish.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/library/demo_library.h"

namespace statelib::library {
namespace {

constexpr uint64_t kStride = 64;

class Proving : public DemoLibrary {
 protected:
  Proving() {
    options_.checkpoint_stride_tokens = kStride;
    for (int i = 0; i < 20; ++i)
      text_ += "On day " + std::to_string(i) + " the gate was painted red.\n";
    IngestText("a", text_, options_);
  }

  Rederivation Prove(const std::string& name, bool from_nothing = false) {
    RederiveOptions options;
    options.from_nothing = from_nothing;
    return Rederive(library_, model_, library_.Resolve(name), options);
  }
  std::vector<storage::ProofRow> Proofs(const std::string& name) {
    return library_.repository().index().states().ProofsOf(library_.Resolve(name).state.id);
  }
  /// Stores, under a name, a state that claims these tokens and holds others' result.
  void Forge(const std::string& name, const std::string& claimed, const std::string& profile) {
    const auto tokens = model_.runtime->tokenizer().Encode(claimed, tokenizer::AddSpecial::kYes);
    engine::State state = model_.runtime->Empty();
    std::vector<TokenId> others(tokens.rbegin(), tokens.rend());
    model_.runtime->Advance(state, others);
    const std::vector<Bytes> segments = model_.runtime->Snapshot(state);
    const std::vector<ByteSpan> views(segments.begin(), segments.end());
    storage::NewState fresh =
        NewStateOf(library_, model_, state, views, tokens, true, std::nullopt);
    fresh.description.profile = profile;
    fresh.description.history = {};
    fresh.description.history.Append(tokens);
    storage::Publish(library_.repository(), fresh, {}, storage::Reference::Parse(name), 1);
  }

  IngestOptions options_;
  std::string text_;
};

TEST_F(Proving, AStateAndItsCheckpointsAreProvedFromNothing) {
  EXPECT_TRUE(Show(library_, "a").proofs.empty());
  const Rederivation found = Prove("a");
  EXPECT_TRUE(found.equal_bytes);
  EXPECT_TRUE(found.same_profile);
  EXPECT_EQ(found.from_tokens, 0u);
  EXPECT_EQ(found.tokens_read, library_.Resolve("a").state.history.token_count());
  EXPECT_EQ(found.proved_on_the_way, (found.tokens_read - 1) / kStride);
  const auto proofs = Show(library_, "a").proofs;
  ASSERT_EQ(proofs.size(), 1u);
  EXPECT_EQ(proofs[0].profile, model_.runtime->profile());
  EXPECT_EQ(proofs[0].from_tokens, 0u);
  EXPECT_GT(proofs[0].proved_at_ms, 0);
}

TEST_F(Proving, ALaterProofStartsFromTheNearestProvedState) {
  Prove("a");
  IngestText("b", text_ + "And then it rained.", options_);
  const Rederivation found = Prove("b");
  EXPECT_TRUE(found.equal_bytes);
  EXPECT_EQ(found.from_tokens, library_.Resolve("a").state.history.token_count());
  EXPECT_EQ(Proofs("b")[0].from_tokens, found.from_tokens);
  EXPECT_EQ(Prove("b", true).from_tokens, 0u);
}

TEST_F(Proving, AWrongStateIsFoundAndLosesItsProofs) {
  Forge("wrong", text_ + "Lies.", model_.runtime->profile());
  library_.repository().index().states().Prove(library_.Resolve("wrong").state.id,
                                               model_.runtime->profile(), 0, 1);
  const Rederivation found = Prove("wrong");
  EXPECT_FALSE(found.equal_bytes);
  ASSERT_FALSE(found.segments.empty());
  EXPECT_GT(found.segments[0].relative_l2, 0);
  EXPECT_TRUE(Proofs("wrong").empty());
}

TEST_F(Proving, AWrongStateOnTheWayIsFoundToo) {
  Forge("wrong", text_, model_.runtime->profile());
  IngestOptions alone;
  alone.reuse = false;
  IngestText("b", text_ + "The end.", alone);
  const Rederivation found = Prove("b");
  EXPECT_TRUE(found.equal_bytes);
  ASSERT_EQ(found.wrong_on_the_way.size(), 1u);
  EXPECT_EQ(found.wrong_on_the_way[0].id, library_.Resolve("wrong").state.id);
}

TEST_F(Proving, AStateOfAnotherProfileIsComparedAndNotJudged) {
  Forge("other", text_, "fast-f32-r1");
  const Rederivation found = Prove("other");
  EXPECT_FALSE(found.same_profile);
  EXPECT_FALSE(found.equal_bytes);
  EXPECT_EQ(found.segments.size(), model_.runtime->SpecFor(0).size());
  EXPECT_TRUE(Proofs("other").empty());
}

TEST_F(Proving, WithoutTokensOrWithAnotherModelNothingIsRead) {
  options_.keep_tokens = false;
  IngestText("f", "Something else.", options_);
  ExpectError(ErrorKind::kInvalidArgument, "not kept", [&] { Prove("f"); });
  const LoadedModel other = LoadModel(library_, {OtherModel(), "other"}, {});
  ExpectError(ErrorKind::kMismatch, "needs the model",
              [&] { Rederive(library_, other, library_.Resolve("a"), {}); });
}

}  // namespace
}  // namespace statelib::library
