// SPDX-License-Identifier: Apache-2.0
// States of a backend that this library has never heard of, beside those of the CPU.
#include <gmock/gmock.h>

#include "core/base/error.h"
#include "statestore/library/packed_weights.h"
#include "statestore/library/prefix.h"
#include "statestore/library/proof.h"
#include "statestore/library/save.h"
#include "statestore/storage/state_object.h"
#include "tests/made_up_backend.h"
#include "tests/statestore/library/demo_library.h"

namespace statelib::library {
namespace {

using testing::HasSubstr;

class OtherProfile : public DemoLibrary {
 protected:
  OtherProfile() {
    options_.backend = MadeUpBackend::Choice();
    made_up_ = LoadModel(library_, {DemoModel(), "demo"}, options_);
  }
  IngestResult IngestMadeUp(const std::string& name, const std::string& text) {
    const Document document{name + ".txt", text};
    return Ingest(library_, made_up_, std::span(&document, 1), storage::Reference::Parse(name), {});
  }
  static std::string MessageOf(const std::function<void()>& call, ErrorKind kind) {
    try {
      call();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind);
      return error.what();
    }
    ADD_FAILURE() << "nothing was refused";
    return {};
  }

  static RederiveOptions FromNothing() {
    RederiveOptions options;
    options.from_nothing = true;
    return options;
  }

  engine::RuntimeOptions options_;
  LoadedModel made_up_;
};

TEST_F(OtherProfile, IsNamedByTheBackendThatComputes) {
  EXPECT_EQ(made_up_.runtime->profile(), "made-up-r1");
  const IngestResult ingested = IngestMadeUp("note", "The bridge was painted in 1911.");
  EXPECT_EQ(ingested.saved.state.profile, "made-up-r1");
}

TEST_F(OtherProfile, IsLoadedByNoOtherBackend) {
  IngestMadeUp("note", "The bridge was painted in 1911.");
  const storage::ResolvedState state = library_.Resolve("note");
  const std::string message =
      MessageOf([&] { LoadState(library_, model_, state); }, ErrorKind::kMismatch);
  EXPECT_THAT(message, HasSubstr("needs the numerics profile made-up-r1"));
  EXPECT_THAT(message, HasSubstr("exact-f32-r1"));
  EXPECT_EQ(LoadState(library_, made_up_, state).state.token_count(),
            state.state.history.token_count());

  IngestText("ours", "The bridge was painted in 1912.");
  MessageOf([&] { LoadState(library_, made_up_, library_.Resolve("ours")); }, ErrorKind::kMismatch);
}

TEST_F(OtherProfile, IsNoPrefixOfAReadingByAnotherBackend) {
  const std::string text = "The bridge was painted in 1911, and the clock stopped at noon.";
  IngestMadeUp("note", text);
  const IngestResult ours = IngestText("ours", text + " It was mended in May.");
  EXPECT_EQ(ours.saved.state.profile, "exact-f32-r1");
  EXPECT_EQ(ours.tokens_restored, 0u);
  const IngestResult theirs = IngestMadeUp("more", text + " It was mended in May.");
  EXPECT_GT(theirs.tokens_restored, 0u);
}

TEST_F(OtherProfile, IsNeitherTheSameObjectNorProvedByWhatTheCpuComputes) {
  const std::string text = "The bridge was painted in 1911.";
  const IngestResult theirs = IngestMadeUp("note", text), ours = IngestText("ours", text);
  EXPECT_NE(theirs.saved.state.id, ours.saved.state.id);
  const Rederivation found = Rederive(library_, model_, library_.Resolve("note"), FromNothing());
  EXPECT_FALSE(found.same_profile);
  EXPECT_FALSE(found.equal_bytes);
  EXPECT_TRUE(library_.repository().index().states().ProofsOf(theirs.saved.state.id).empty());
  EXPECT_TRUE(Rederive(library_, made_up_, library_.Resolve("note"), FromNothing()).equal_bytes);
}

TEST_F(OtherProfile, HasPackedWeightsOfItsOwn) {
  EXPECT_NE(made_up_.runtime->PackedWeightsName(made_up_.identity.fingerprint),
            model_.runtime->PackedWeightsName(model_.identity.fingerprint));
  EXPECT_EQ(FileSystem::Real().List(PackedWeightsFolder(library_)).size(), 2u);
}

TEST_F(OtherProfile, IsKnownOfAModelThatIsNotOpened) {
  const auto key = RememberedKey(library_, {DemoModel(), "demo"}, options_);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->profile, "made-up-r1");
  EXPECT_EQ(RememberedKey(library_, {DemoModel(), "demo"}, {})->profile, "exact-f32-r1");
}

TEST_F(OtherProfile, AStateThatWasContinuedSaysFromWhatAndSoDoesWhatGoesOnFromIt) {
  const std::vector<TokenId> tokens = model_.runtime->tokenizer().Encode("The bridge was painted.");
  engine::State state = model_.runtime->Empty();
  model_.runtime->Advance(state, tokens);
  const std::vector<Bytes> segments = model_.runtime->Snapshot(state);
  const std::vector<ByteSpan> views(segments.begin(), segments.end());
  storage::NewState fresh =
      NewStateOf(library_, model_, state.history(), views, RunOf<TokenId>(tokens), true, {});
  fresh.description.profile = "exact-f32-r1~";
  fresh.description.continued_from = {{"made-up-r1", 3}};
  storage::Publish(library_.repository(), fresh, {}, storage::Reference::Parse("continued"), 1);

  const IngestResult more = AppendText("continued", " It was mended in May.");
  EXPECT_EQ(more.saved.state.profile, "exact-f32-r1~");
  const Bytes object = library_.repository().objects().Get(more.saved.state.id);
  const storage::StateReader reader(object, "more", storage::FileHash::kChecked);
  EXPECT_THAT(reader.header().description.continued_from,
              testing::ElementsAre(storage::Continuation{"made-up-r1", 3}));
  // No reading of the same tokens takes it for the state that one profile alone gives.
  const IngestResult plain = IngestText("plain", "The bridge was painted.");
  EXPECT_EQ(plain.tokens_restored, 0u);
}

}  // namespace
}  // namespace statelib::library
