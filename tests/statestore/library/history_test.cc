// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/history.h"

#include <gmock/gmock.h>

#include "statestore/library/inspect.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/library/demo_library.h"

namespace statelib::library {
namespace {

using storage::Reference;
using testing::ElementsAre;

class HistoryOfNames : public DemoLibrary {
 protected:
  HistoryOfNames() {
    IngestText("a", "First.");
    AppendText("a", " Second.");
    AppendText("a", " Third.");
  }
  uint64_t Current() { return *library_.Resolve("a").reference->version; }
};

TEST_F(HistoryOfNames, CheckoutGoesBackAndLosesNothing) {
  const MovedReference moved = Checkout(library_, "a@1");
  EXPECT_EQ(moved.before.Text(), "a@3");
  EXPECT_EQ(moved.now.Text(), "a@1");
  EXPECT_EQ(moved.state.id, library_.Resolve("a@1").state.id);
  EXPECT_EQ(Current(), 1u);
  EXPECT_EQ(Log(library_, "a").size(), 3u);
  // What is appended goes on from there, as the version after the newest.
  EXPECT_EQ(AppendText("a", " Other.").saved.reference.version, 4u);
  EXPECT_EQ(Log(library_, "a")[0].derivation.parent_state, library_.Resolve("a@1").state.id);
  ExpectError(ErrorKind::kInvalidArgument, "say which version", [&] { Checkout(library_, "a"); });
  ExpectError(ErrorKind::kNotFound, "has no version 9", [&] { Checkout(library_, "a@9"); });
}

TEST_F(HistoryOfNames, UndoTakesBackOneChangeAfterTheOther) {
  EXPECT_EQ(Undo(library_, Reference::Parse("a")).now.Text(), "a@2");
  EXPECT_EQ(Undo(library_, Reference::Parse("a")).now.Text(), "a@1");
  ExpectError(ErrorKind::kInvalidArgument, "nothing to undo",
              [&] { Undo(library_, Reference::Parse("a")); });
  Checkout(library_, "a@3");
  EXPECT_EQ(Undo(library_, Reference::Parse("a")).now.Text(), "a@1");
  ExpectError(ErrorKind::kInvalidArgument, "leave out '@2'",
              [&] { Undo(library_, Reference::Parse("a@2")); });
  ExpectError(ErrorKind::kNotFound, "no state named b",
              [&] { Undo(library_, Reference::Parse("b")); });
}

TEST_F(HistoryOfNames, ABranchIsANewNameThatGrowsApart) {
  EXPECT_EQ(Branch(library_, "a@2", Reference::Parse("b")).reference.Text(), "b@1");
  AppendText("b", " Apart.");
  EXPECT_EQ(Current(), 3u);
  EXPECT_EQ(Log(library_, "b")[0].derivation.operation, storage::Operation::kAppend);
  ExpectError(ErrorKind::kInvalidArgument, "b exists already",
              [&] { Branch(library_, "a", Reference::Parse("b")); });
}

TEST_F(HistoryOfNames, TheStateAtATokenIsTheOneThatReadSoFar) {
  const storage::ResolvedState whole = library_.Resolve("a");
  const uint64_t second = library_.Resolve("a@2").state.history.token_count();
  StateAtOptions options;
  options.save_as = Reference::Parse("cut");
  const StateAtResult exact = StateAt(library_, model_, whole, second, options);
  EXPECT_EQ(exact.tokens_read, 0u);
  EXPECT_EQ(exact.saved->state.id, library_.Resolve("a@2").state.id);
  const StateAtResult between = StateAt(library_, model_, whole, second + 1, options);
  EXPECT_EQ(between.tokens_restored, second);
  EXPECT_EQ(between.tokens_read, 1u);
  EXPECT_EQ(between.before.size(), second + 1);
  EXPECT_EQ(TokensOf(library_, between.saved->state.id)->Values(), between.before);
  engine::State afresh = model_.runtime->Empty();
  model_.runtime->Advance(afresh, between.before);
  EXPECT_EQ(model_.runtime->Snapshot(afresh),
            model_.runtime->Snapshot(LoadState(library_, model_, library_.Resolve("cut")).state));
  EXPECT_EQ(Log(library_, "cut")[0].derivation.operation, storage::Operation::kAt);
  EXPECT_EQ(Log(library_, "cut")[0].derivation.parent_state, whole.state.id);
  for (const uint64_t outside : {uint64_t{0}, whole.state.history.token_count() + 1}) {
    ExpectError(ErrorKind::kInvalidArgument, "--token: expected 1 to",
                [&] { StateAt(library_, model_, whole, outside, {}); });
  }
  IngestOptions forgetting;
  forgetting.keep_tokens = false;
  IngestText("f", "Something else.", forgetting);
  ExpectError(ErrorKind::kInvalidArgument, "not kept",
              [&] { StateAt(library_, model_, library_.Resolve("f"), 1, {}); });
}

TEST_F(HistoryOfNames, StatusComparesTheDocumentsWithTheirFiles) {
  std::vector<Document> documents;
  for (const char* name : {"same", "longer", "other", "gone"}) {
    const std::string text = std::string("The ") + name + " one.";
    documents.push_back({folder_.Write(name, text).string(), text});
  }
  documents.push_back({"-", "From a pipe."});
  Ingest(library_, model_, documents, Reference::Parse("d"), {});
  folder_.Write("longer", "The longer one is longer.");
  folder_.Write("other", "The 0ther one.");
  std::filesystem::remove(documents[3].name);
  std::vector<std::string> found;
  for (const SourceStatus& status : StatusOf(library_, library_.Resolve("d")))
    found.push_back(NameOf(status.change));
  EXPECT_THAT(found, ElementsAre("unchanged", "changed", "changed", "missing", "unknown"));
  ExpectError(ErrorKind::kInvalidArgument, "give a name",
              [&] { StatusOf(library_, library_.Resolve(library_.Resolve("d").state.id.Hex())); });
}

}  // namespace
}  // namespace statelib::library
