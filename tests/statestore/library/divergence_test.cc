// SPDX-License-Identifier: Apache-2.0
// What becomes of a name that two libraries have taken to different states.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "statestore/library/history.h"
#include "statestore/library/organise.h"
#include "statestore/library/transfer.h"
#include "statestore/remote/folder_remote.h"
#include "statestore/storage/repair.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/library/exchange_fixture.h"
#include "tests/statestore/sample_library.h"

namespace statelib::library {
namespace {

namespace fs = std::filesystem;
using storage::ExpectClean;
using storage::PublishNear;
using storage::PublishSample;
using storage::StateId;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

class Divergence : public ExchangeTest {
 protected:
  StateId Make(Library& library, const std::string& name, unsigned seed, uint64_t tokens = 5) {
    return PublishSample(library.repository(), name, tokens, seed).state.id;
  }
  StateId There(const std::string& name) {
    const auto versions = Remote()->List();
    const storage::RemoteVersion* newest = remote::NewestOf(versions, name, "latest");
    return newest == nullptr ? StateId{} : newest->state;
  }
  void ExpectRefused(Library& library, const std::string& name, const std::string& message,
                     const PushOptions& options = {}) {
    const auto before = Remote()->List();
    ExpectError(ErrorKind::kMismatch, message, [&] { PushFrom(library, {{name}}, options); });
    EXPECT_EQ(Remote()->List().size(), before.size());
  }

  Library ann_ = Open("ann");
  Library bob_ = Open("bob");
};

TEST_F(Divergence, APushOverAVersionNeverHadIsRefusedBeforeAnythingTravels) {
  const StateId anns = Make(ann_, "a", 1);
  PushFrom(ann_, {{"a"}});
  Make(bob_, "a", 2);
  const auto objects = [&] { return FileSystem::Real().List(share_ / "objects").size(); };
  const size_t before = objects();
  ExpectRefused(bob_, "a", "a@1 there (state " + anns.ShortHex());
  ExpectRefused(bob_, "a", "the library of a@1 here");
  ExpectRefused(bob_, "a", "statelib pull");
  ExpectRefused(bob_, "a", "--force", {.dry_run = true, .manifest = {}, .control = {}});
  EXPECT_EQ(objects(), before);
  EXPECT_EQ(There("a"), anns);
}

TEST_F(Divergence, OneNameThatIsRefusedStopsTheWholePush) {
  Make(ann_, "b", 1);
  PushFrom(ann_, {{"b"}});
  Make(bob_, "a", 2);
  Make(bob_, "b", 3);
  ExpectError(ErrorKind::kMismatch, "b@1 there", [&] { PushFrom(bob_, {{"a", "b"}}); });
  EXPECT_EQ(There("a"), StateId{});
}

TEST_F(Divergence, ForceSupersedesAndLosesNothing) {
  Make(ann_, "a", 1);
  PushFrom(ann_, {{"a"}});
  const StateId bobs = Make(bob_, "a", 2);
  PushFrom(bob_, {{"a"}}, {.force = true, .manifest = {}, .control = {}});
  EXPECT_EQ(There("a"), bobs);
  EXPECT_EQ(Remote()->List().size(), 2u);
}

TEST_F(Divergence, APullKeepsBothAndThenAPushGoesOn) {
  const StateId anns = Make(ann_, "a", 1);
  PushFrom(ann_, {{"a"}});
  const StateId bobs = Make(bob_, "a", 2);
  const PullReport pulled = PullInto(bob_);
  ASSERT_EQ(pulled.versions.size(), 1u);
  EXPECT_EQ(pulled.versions[0].reference.Text(), "share/a@1");
  ASSERT_TRUE(pulled.versions[0].diverged_from);
  EXPECT_EQ(pulled.versions[0].diverged_from->Text(), "a@1");
  EXPECT_EQ(bob_.Resolve("a").state.id, bobs);
  EXPECT_EQ(bob_.Resolve("share/a").state.id, anns);
  const PullReport again = PullInto(bob_);
  EXPECT_TRUE(again.versions[0].there_before);
  EXPECT_EQ(again.versions[0].reference.Text(), "share/a@1");
  PushFrom(bob_, {{"a"}});
  EXPECT_EQ(There("a"), bobs);
  // Ann's has been there: hers goes on.
  EXPECT_EQ(PullInto(ann_).versions[0].reference.Text(), "a@2");
  EXPECT_EQ(ann_.Resolve("a").state.id, bobs);
  ExpectClean(bob_.repository());
}

TEST_F(Divergence, WhatIsKeptBesideDoesNotStandForANameThatIsGone) {
  const StateId anns = Make(ann_, "a", 1);
  PushFrom(ann_, {{"a"}});
  Make(bob_, "a", 2);
  PullInto(bob_);
  Remove(bob_, {storage::Reference::Parse("a")}, false);
  EXPECT_EQ(PullInto(bob_).versions[0].reference.Text(), "a@1");
  EXPECT_EQ(bob_.Resolve("a").state.id, anns);
}

TEST_F(Divergence, ASecondDivergedPullIsTheNextVersionBeside) {
  Make(ann_, "a", 1);
  PushFrom(ann_, {{"a"}});
  Make(bob_, "a", 2);
  PullInto(bob_);
  const StateId second = Make(ann_, "a", 3);
  PushFrom(ann_, {{"a"}});
  ExpectRefused(bob_, "a", "a@2 there");
  EXPECT_EQ(PullInto(bob_).versions[0].reference.Text(), "share/a@2");
  EXPECT_EQ(bob_.Resolve("share/a").state.id, second);
}

TEST_F(Divergence, EveryVersionOfADivergedNameComesBeside) {
  Make(ann_, "a", 1);
  Make(ann_, "a", 2);
  PushFrom(ann_, {{"a"}, true});
  Make(bob_, "a", 3);
  PullInto(bob_, {{"a"}, true});
  EXPECT_EQ(bob_.repository().index().references().Versions("a", "latest").size(), 1u);
  EXPECT_EQ(bob_.repository().index().references().Versions("share/a", "latest").size(), 2u);
}

TEST_F(Divergence, ANameThatOnlyGoesOnThereGoesOnHere) {
  Make(ann_, "a", 1);
  PushFrom(ann_, {{"a"}});
  PullInto(bob_);
  Make(ann_, "a", 2);
  PushFrom(ann_, {{"a"}});
  const PullReport pulled = PullInto(bob_);
  EXPECT_EQ(pulled.versions[0].reference.Text(), "a@2");
  EXPECT_FALSE(pulled.versions[0].diverged_from);
}

TEST_F(Divergence, WhatStandsBesideIsNotOverwritten) {
  Make(ann_, "a", 1);
  PushFrom(ann_, {{"a"}});
  Make(bob_, "a", 2);
  const StateId own = Make(bob_, "share/a", 3);
  ExpectError(ErrorKind::kInvalidArgument, "share/a@1, which is something else here",
              [&] { PullInto(bob_); });
  EXPECT_EQ(bob_.Resolve("share/a").state.id, own);
}

TEST_F(Divergence, WhatWasPulledOrMadeCountsAfterUndo) {
  Make(ann_, "a", 1);
  PushFrom(ann_, {{"a"}});
  PullInto(bob_);
  Make(ann_, "a", 2);
  PushFrom(ann_, {{"a"}});
  PullInto(bob_);
  Undo(bob_, storage::Reference::Parse("a"));
  Make(bob_, "a", 3);
  PushFrom(bob_, {{"a"}});
  EXPECT_EQ(Remote()->List().size(), 3u);
}

TEST_F(Divergence, WhatWasHadCountsAfterTheNameWasRemovedAndMadeAgain) {
  Make(ann_, "a", 1);
  PushFrom(ann_, {{"a"}});
  Remove(ann_, {storage::Reference::Parse("a")}, false);
  storage::CollectGarbage(ann_.repository(), {.now_ms = int64_t{1} << 42});
  const StateId again = Make(ann_, "a", 2);
  PushFrom(ann_, {{"a"}});
  EXPECT_EQ(There("a"), again);
}

TEST_F(Divergence, WhatWasHadGoesWithANameToItsNewOneAndStaysWithTheOld) {
  Make(ann_, "a", 1);
  PushFrom(ann_, {{"a"}});
  PullInto(bob_);
  Copy(bob_, "a", storage::Reference::Parse("b"));
  PushFrom(bob_, {{"b"}});
  Move(ann_, storage::Reference::Parse("a"), storage::Reference::Parse("b"));
  Make(ann_, "b", 2);
  PushFrom(ann_, {{"b"}});
  Make(ann_, "a", 3);
  PushFrom(ann_, {{"a"}});
  EXPECT_EQ(Remote()->List().size(), 4u);
}

TEST_F(Divergence, WhatWasPulledBesideAndRemovedStillCounts) {
  Make(ann_, "a", 1);
  PushFrom(ann_, {{"a"}});
  Make(bob_, "a", 2);
  PullInto(bob_);
  Remove(bob_, {storage::Reference::Parse("share/a")}, false);
  PushFrom(bob_, {{"a"}});
  EXPECT_EQ(Remote()->List().size(), 2u);
}

TEST_F(Divergence, AStateThatTravelsWithoutItsTokensIsKnownAgain) {
  const PushOptions without{.manifest = {true, true, false}, .control = {}};
  Make(ann_, "a", 1);
  PushFrom(ann_, {{"a"}}, without);
  Make(ann_, "a", 2);
  PushFrom(ann_, {{"a"}}, without);
  EXPECT_EQ(Remote()->List().size(), 2u);
  // And it is no other state to the one who has pushed it.
  EXPECT_TRUE(PullInto(ann_).versions[0].there_before);
  PullInto(bob_);
  Make(bob_, "a", 3);
  PushFrom(bob_, {{"a"}});
  EXPECT_EQ(PullInto(ann_).versions[0].reference.Text(), "a@3");
}

TEST_F(Divergence, WhatWasHadCountsAfterARepair) {
  const PushOptions without{.manifest = {true, true, false}, .control = {}};
  std::filesystem::path folder;
  {
    Library carol = Open("carol");
    folder = carol.path();
    Make(carol, "a", 1);
    Make(carol, "b", 2);
    PushFrom(carol, {{"a", "b"}}, without);
    Remove(carol, {storage::Reference::Parse("b")}, false);
    storage::CollectGarbage(carol.repository(), {.now_ms = int64_t{1} << 42});
  }
  EXPECT_TRUE(storage::RepairIndex(folder, FileSystem::Real(), {.rebuild = true}).rebuilt);
  Library carol = Open("carol");
  Make(carol, "a", 3);
  Make(carol, "b", 4);
  EXPECT_EQ(PushFrom(carol, {{"a", "b"}}, without).versions.size(), 2u);
  EXPECT_EQ(Remote()->List().size(), 4u);
}

TEST_F(Divergence, AnEqualStateThatIsStoredOtherwiseIsNoOther) {
  const auto exact = storage::Codec::kExact;
  const StateId base = PublishNear(ann_.repository(), "base", 4, exact).state.id;
  PublishNear(ann_.repository(), "a", 5, storage::Codec::kDelta, base);
  PublishNear(bob_.repository(), "a", 5, exact);
  ASSERT_NE(ann_.Resolve("a").state.id, bob_.Resolve("a").state.id);
  PushFrom(ann_, {{"a"}});
  const PullReport pulled = PullInto(bob_);
  EXPECT_FALSE(pulled.versions[0].diverged_from);
  EXPECT_EQ(pulled.versions[0].reference.Text(), "a@1");
  Make(bob_, "a", 3);
  PushFrom(bob_, {{"a"}});
  EXPECT_EQ(Remote()->List().size(), 2u);
}

TEST_F(Divergence, AnImportSaysWhatItDoesNotGoOnFrom) {
  Make(ann_, "a", 1);
  const fs::path bundle = folder_.path() / "a.statelib";
  Export(ann_, {{"a"}}, bundle, {});
  Make(bob_, "a", 2);
  const SignerPolicy unsigned_too{true, false};
  const auto import = [&] {
    storage::BundleFile file = storage::BundleFile::Open(bundle);
    return Import(bob_, file, "a.statelib", keys_, unsigned_too, {});
  };
  auto report = import();
  EXPECT_EQ(report.import.references[0].superseded, 1u);
  // The next one goes on from what came in.
  Make(ann_, "a", 3);
  Export(ann_, {{"a"}, true}, bundle, {});
  report = import();
  for (const auto& reference : report.import.references) EXPECT_FALSE(reference.superseded);
  EXPECT_EQ(bob_.Resolve("a@1").state.history.token_count(), 5u);
}

}  // namespace
}  // namespace statelib::library
