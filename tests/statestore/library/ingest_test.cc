// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/ingest.h"

#include <gmock/gmock.h>

#include "statestore/library/inspect.h"
#include "statestore/storage/maintenance.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/library/demo_library.h"

namespace statelib::library {
namespace {

using storage::Reference;
using testing::HasSubstr;

const std::string kFirst = "The budget for the library index is 1800 dollars. ";
const std::string kSecond = "Amara Neving is responsible for the library index.\n";

class Ingesting : public DemoLibrary {};

TEST_F(Ingesting, AStoredStateGoesOnAsTheOneInMemoryWould) {
  const IngestResult result = IngestText("a", kFirst);
  EXPECT_EQ(result.tokens_restored, 0u);
  EXPECT_EQ(result.tokens_read, result.saved.state.history.token_count());
  EXPECT_EQ(result.saved.reference.Text(), "a@1");

  engine::State state = model_.runtime->Empty();
  model_.runtime->Advance(state, model_.runtime->tokenizer().Encode(kFirst));
  const LoadedState loaded = LoadState(library_, model_, library_.Resolve("a"));
  EXPECT_EQ(loaded.state.history(), state.history());
  EXPECT_EQ(model_.runtime->Snapshot(loaded.state), model_.runtime->Snapshot(state));
  EXPECT_EQ(model_.runtime->Logits(loaded.state), model_.runtime->Logits(state));
}

TEST_F(Ingesting, AppendingGivesTheStateOfIngestingBoth) {
  IngestText("parts", kFirst);
  const IngestResult appended = AppendText("parts", kSecond);
  EXPECT_EQ(appended.saved.reference.Text(), "parts@2");
  EXPECT_EQ(appended.tokens_restored, library_.Resolve("parts@1").state.history.token_count());
  const std::vector<Document> both = {{"1", kFirst}, {"2", kSecond}};
  // The library already has it, so the whole is stored in another one.
  Library other = OpenLibrary("other");
  const IngestResult whole = Ingest(other, model_, both, Reference::Parse("whole"), {});
  EXPECT_EQ(whole.saved.state.id, appended.saved.state.id);
  EXPECT_EQ(whole.tokens_restored, 0u);
}

TEST_F(Ingesting, TheSameTokensAreNotReadTwice) {
  const IngestResult first = IngestText("a", kFirst);
  const IngestResult again = IngestText("a", kFirst);
  EXPECT_EQ(again.tokens_read, 0u);
  EXPECT_EQ(again.tokens_restored, first.tokens_read);
  EXPECT_TRUE(again.saved.version_before);
  EXPECT_EQ(IngestText("b", kFirst).tokens_read, 0u);
  EXPECT_EQ(library_.repository().index().states().count(), 1u);
}

TEST_F(Ingesting, SourcesAndLineageAreRecorded) {
  IngestText("a", kFirst);
  const Document odd{"no\nte\xff.txt", kSecond};
  Append(library_, model_, library_.Resolve("a"), std::span(&odd, 1), Reference::Parse("b"), {});
  const auto log = Log(library_, "b");
  ASSERT_EQ(log.size(), 1u);
  const storage::Derivation& derivation = log[0].derivation;
  EXPECT_EQ(derivation.operation, storage::Operation::kAppend);
  EXPECT_EQ(derivation.parent_state, library_.Resolve("a").state.id);
  EXPECT_EQ(log[0].made_from, "a@1");
  ASSERT_EQ(derivation.sources.size(), 1u);
  EXPECT_EQ(derivation.sources[0].name, R"(no\nte\xff.txt)");
  EXPECT_EQ(derivation.sources[0].size_bytes, kSecond.size());
  EXPECT_EQ(derivation.sources[0].digest, HashOf(AsBytes(kSecond)));
  EXPECT_EQ(derivation.sources[0].token_count,
            log[0].token_count - library_.Resolve("a").state.history.token_count());
  EXPECT_GT(derivation.sources[0].read_at_ms, 0);
}

TEST_F(Ingesting, TheTokensOfAStateCanBeReadBackUnlessTheyAreNotKept) {
  IngestText("a", kFirst);
  EXPECT_EQ(TokensOf(library_, library_.Resolve("a").state.id)->Values(),
            model_.runtime->tokenizer().Encode(kFirst));
  IngestOptions without;
  without.keep_tokens = false;
  IngestText("b", kFirst, without);
  EXPECT_FALSE(TokensOf(library_, library_.Resolve("b").state.id));
  AppendText("b", kSecond);
  EXPECT_FALSE(library_.Resolve("b").state.tokens_kept);
  EXPECT_TRUE(storage::Verify(library_.repository()).problems.empty());
}

TEST_F(Ingesting, CancellingLeavesTheLibraryAsItWas) {
  IngestText("a", kFirst);
  CancelFlag cancel;
  IngestOptions options;
  options.cancel = &cancel;
  options.on_progress = [&](uint64_t done, uint64_t) {
    if (done > 0) cancel.Cancel();
  };
  std::string text;
  for (int i = 0; i < 30; ++i) text += kSecond;
  ExpectError(ErrorKind::kCancelled, "", [&] { AppendText("a", text, options); });
  EXPECT_EQ(library_.Resolve("a").reference->version, 1u);
  EXPECT_EQ(storage::CollectGarbage(library_.repository(), {.dry_run = true}).objects, 0u);
}

TEST_F(Ingesting, ProgressEndsAtTheTotal) {
  uint64_t last_done = 0;
  uint64_t last_total = 1;
  IngestOptions options;
  options.on_progress = [&](uint64_t done, uint64_t total) {
    EXPECT_GE(done, last_done);
    last_done = done;
    last_total = total;
  };
  const IngestResult result = IngestText("a", kFirst + kSecond, options);
  EXPECT_EQ(last_done, last_total);
  EXPECT_EQ(last_done, result.tokens_read);
}

TEST_F(Ingesting, NothingToReadAndABadTargetAreRefusedBeforeAnythingIsRead) {
  ExpectError(ErrorKind::kInvalidArgument, "there is no text to read",
              [&] { IngestText("a", ""); });
  ExpectError(ErrorKind::kInvalidArgument, "there is no document",
              [&] { Ingest(library_, model_, {}, Reference::Parse("a"), {}); });
  const Document document{"x", kFirst};
  ExpectError(ErrorKind::kInvalidArgument, "a@3: a version cannot be written to", [&] {
    Ingest(library_, model_, std::span(&document, 1), Reference::Parse("a@3"), {});
  });
  EXPECT_TRUE(List(library_, {}).empty());
}

TEST_F(Ingesting, AppendingToAStateThatIsRemovedMeanwhileStoresTheWhole) {
  IngestText("a", kFirst);
  const storage::ResolvedState base = library_.Resolve("a");
  const Document document{"x", kSecond};
  IngestOptions options;
  options.on_progress = [&](uint64_t done, uint64_t) {
    if (done != 0) return;  // the state has been loaded
    library_.repository().index().references().Remove("a", "latest", 1);
    storage::CollectGarbage(library_.repository(), {});
  };
  const IngestResult result =
      Append(library_, model_, base, std::span(&document, 1), Reference::Parse("b"), options);
  EXPECT_EQ(TokensOf(library_, result.saved.state.id)->size(),
            result.saved.state.history.token_count());
  EXPECT_TRUE(storage::Verify(library_.repository()).problems.empty());
}

}  // namespace
}  // namespace statelib::library
