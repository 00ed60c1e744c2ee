// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/load.h"

#include <gmock/gmock.h>

#include "statestore/library/save.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/library/demo_library.h"

namespace statelib::library {
namespace {

using storage::Reference;

class Loading : public DemoLibrary {};

TEST_F(Loading, AnotherModelIsRefusedWithTheOneThatTheStateNeeds) {
  IngestText("a", "Some words.");
  const LoadedModel other = LoadModel(library_, {OtherModel(), ""}, {});
  const auto load = [&] { LoadState(library_, other, library_.Resolve("a")); };
  ExpectError(ErrorKind::kMismatch,
              "the state a@1 needs the model demo (mamba, 12 layers, 384 wide, 8192 tokens, "
              "fingerprint " +
                  model_.identity.fingerprint.ShortHex() + "), given was without a name (mamba",
              load);
  ExpectError(ErrorKind::kMismatch, "leave out --model to use the right one", load);
  RemoveModel(library_, "demo");
  ExpectError(ErrorKind::kMismatch, "add the right one with `statelib model add PATH`", load);
}

TEST_F(Loading, AnotherModelIsRefusedBeforeTheObjectIsTouched) {
  IngestText("a", "Some words.");
  const storage::ResolvedState state = library_.Resolve("a");
  library_.repository().objects().Remove(state.state.id);
  const LoadedModel other = LoadModel(library_, {OtherModel(), ""}, {});
  ExpectError(ErrorKind::kMismatch, "needs the model demo",
              [&] { LoadState(library_, other, state); });
  ExpectError(ErrorKind::kCorrupt, state.state.id.Hex() + ": the object is missing",
              [&] { LoadState(library_, model_, state); });
}

TEST_F(Loading, AnotherNumericsProfileIsRefused) {
  IngestText("a", "Some words.");
  storage::ResolvedState state = library_.Resolve("a");
  state.state.profile = "exact-f32-r0";
  ExpectError(ErrorKind::kMismatch,
              "the state a@1 needs the numerics profile exact-f32-r0, given was " +
                  model_.runtime->profile(),
              [&] { LoadState(library_, model_, state); });
}

TEST_F(Loading, ADamagedObjectIsRefused) {
  IngestText("a", "Some words.");
  const storage::ResolvedState state = library_.Resolve("a");
  const auto path = library_.repository().objects().PathOf(state.state.id);
  std::ofstream(path, std::ios::app) << "x";
  ExpectError(ErrorKind::kCorrupt, path.string() + ": damaged object",
              [&] { LoadState(library_, model_, state); });
}

TEST_F(Loading, WhatWasGeneratedIsSavedAsAVersionThatKnowsItsParent) {
  IngestText("a", "The budget is");
  const storage::ResolvedState parent = library_.Resolve("a");
  LoadedState loaded = LoadState(library_, model_, parent);
  const std::vector<TokenId> tokens = {100, 200, 300};
  model_.runtime->Advance(loaded.state, tokens);
  SaveRequest request;
  request.reference = Reference::Parse("a");
  request.parent = parent;
  request.tokens = tokens;
  const SavedState saved = SaveState(library_, model_, loaded.state, request);
  EXPECT_EQ(saved.reference.Text(), "a@2");
  EXPECT_EQ(saved.state.history, loaded.state.history());
  const storage::ResolvedState child = library_.Resolve("a");
  const auto line = library_.repository().index().lineage().AncestorsOf(*child.derivation, 9);
  ASSERT_EQ(line.size(), 2u);
  EXPECT_EQ(line[0].operation, storage::Operation::kGenerate);
  EXPECT_EQ(line[0].parent_state, parent.state.id);
  EXPECT_EQ(model_.runtime->Snapshot(LoadState(library_, model_, child).state),
            model_.runtime->Snapshot(loaded.state));
}

TEST_F(Loading, TokensThatDoNotLeadToTheStateAreRefused) {
  IngestText("a", "The budget is");
  LoadedState loaded = LoadState(library_, model_, library_.Resolve("a"));
  model_.runtime->Advance(loaded.state, std::vector<TokenId>{100, 200});
  SaveRequest request;
  request.reference = Reference::Parse("b");
  request.parent = loaded.origin;
  for (const std::vector<TokenId>& tokens :
       std::vector<std::vector<TokenId>>{{}, {200}, {100, 201}, {100, 200, 300}}) {
    request.tokens = tokens;
    ExpectError(ErrorKind::kInvalidArgument, "[save]",
                [&] { SaveState(library_, model_, loaded.state, request); });
  }
}

}  // namespace
}  // namespace statelib::library
