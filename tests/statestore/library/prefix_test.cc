// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/prefix.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "statestore/library/inspect.h"
#include "statestore/storage/maintenance.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/library/demo_library.h"

namespace statelib::library {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr uint64_t kStride = 64;

std::string Sentences(int count, const std::string& last = "") {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += "On day " + std::to_string(i) + " the gate was painted red.\n";
  return text + last;
}

class PrefixReuse : public DemoLibrary {
 protected:
  PrefixReuse() { options_.checkpoint_stride_tokens = kStride; }

  std::vector<uint64_t> Checkpoints(const std::string& name) {
    std::vector<uint64_t> lengths;
    for (const auto& row : library_.repository().index().checkpoints().List(
             name.empty() ? std::optional<storage::StateId>() : library_.Resolve(name).state.id))
      lengths.push_back(row.state.history.token_count());
    std::reverse(lengths.begin(), lengths.end());
    return lengths;
  }
  /// What a library that holds nothing computes.
  storage::StateId Afresh(const std::string& text) {
    Library other = OpenLibrary("afresh" + std::to_string(now_ms_));
    const Document document{"x", text};
    IngestOptions alone;
    alone.checkpoint_stride_tokens = 0;
    return Ingest(other, model_, std::span(&document, 1), storage::Reference::Parse("x"), alone)
        .saved.state.id;
  }
  void ExpectSound() {
    for (const auto& problem : storage::Verify(library_.repository()).problems)
      ADD_FAILURE() << problem.what;
  }

  IngestOptions options_;
};

TEST_F(PrefixReuse, IngestLeavesCheckpointsAtEveryStrideAndAtTheEndOfEachDocument) {
  const std::vector<Document> documents = {{"1", Sentences(8)}, {"2", Sentences(10)}};
  const IngestResult result =
      Ingest(library_, model_, documents, storage::Reference::Parse("a"), options_);
  const uint64_t first = result.sources[0].token_count;
  const uint64_t total = result.saved.state.history.token_count();
  std::vector<uint64_t> expected = {first};
  for (uint64_t at = kStride; at < total; at += kStride) expected.push_back(at);
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(Checkpoints("a"), expected);
  EXPECT_EQ(result.checkpoints, expected.size());
  EXPECT_EQ(List(library_, {}).size(), 1u);
  ExpectSound();
}

TEST_F(PrefixReuse, AnEditedDocumentIsReadFromTheLastCheckpointBeforeTheEdit) {
  const uint64_t total = IngestText("a", Sentences(20), options_).tokens_read;
  const std::string edited = Sentences(16, "Then it rained.\n" + Sentences(4));
  const IngestResult result = IngestText("a", edited, options_);
  EXPECT_EQ(result.tokens_restored % kStride, 0u);
  EXPECT_GE(result.tokens_restored, total * 3 / 4 - kStride);
  ASSERT_TRUE(result.reused);
  EXPECT_EQ(result.reused->history.token_count(), result.tokens_restored);
  EXPECT_EQ(result.tokens_restored + result.tokens_read, result.saved.state.history.token_count());
  EXPECT_EQ(result.saved.state.id, Afresh(edited));
  ExpectSound();
}

TEST_F(PrefixReuse, AppendFindsALongerStateThanItsBaseWhoeverMadeIt) {
  IngestText("base", Sentences(3), options_);
  IngestText("other", Sentences(3) + Sentences(9), options_);
  const uint64_t base = library_.Resolve("base").state.history.token_count();
  const IngestResult result = AppendText("base", Sentences(10), options_);
  EXPECT_GT(result.tokens_restored, base);
  EXPECT_EQ(result.saved.state.id, Afresh(Sentences(3) + Sentences(10)));
  EXPECT_EQ(Log(library_, "base")[0].derivation.parent_state, library_.Resolve("base@1").state.id);
}

TEST_F(PrefixReuse, NothingIsReusedWhereItIsNotWanted) {
  IngestText("a", Sentences(10), options_);
  options_.reuse = false;
  const IngestResult result = IngestText("b", Sentences(10), options_);
  EXPECT_EQ(result.tokens_restored, 0u);
  EXPECT_FALSE(result.reused);
  EXPECT_EQ(result.saved.state.id, library_.Resolve("a").state.id);
}

TEST_F(PrefixReuse, AnotherModelsStatesAreNotReused) {
  IngestText("a", Sentences(10), options_);
  const LoadedModel other = LoadModel(library_, {OtherModel(), "other"}, {});
  const Document document{"x", Sentences(10)};
  const IngestResult result =
      Ingest(library_, other, std::span(&document, 1), storage::Reference::Parse("b"), options_);
  EXPECT_EQ(result.tokens_restored, 0u);
}

TEST_F(PrefixReuse, ADamagedOrMissingCheckpointIsPassedOver) {
  IngestText("a", Sentences(20), options_);
  const auto rows =
      library_.repository().index().checkpoints().List(library_.Resolve("a").state.id);
  std::filesystem::resize_file(library_.repository().objects().PathOf(rows[0].state.id), 100);
  library_.repository().objects().Remove(rows[1].state.id);
  const std::string edited = Sentences(20, "And so on.");
  library_.repository().objects().Remove(library_.Resolve("a").state.id);
  const IngestResult result = IngestText("b", edited, options_);
  EXPECT_EQ(result.tokens_restored, rows[2].state.history.token_count());
  EXPECT_EQ(result.saved.state.id, Afresh(edited));
  // Reading past them has put the checkpoints in order.
  IngestText("a", Sentences(20), options_);
  ExpectSound();
}

TEST_F(PrefixReuse, AStoppedIngestGoesOnWhereItStopped) {
  const std::string text = Sentences(40);
  CancelFlag cancel;
  options_.cancel = &cancel;
  uint64_t seen = 0;
  options_.on_progress = [&](uint64_t done, uint64_t) {
    seen = done;
    if (done >= 2 * kStride) cancel.Cancel();
  };
  ExpectError(ErrorKind::kCancelled, "run the same command again to go on from there",
              [&] { IngestText("a", text, options_); });
  EXPECT_TRUE(List(library_, {}).empty());
  storage::CollectGarbage(library_.repository(), {.now_ms = library_.now_ms()});
  IngestOptions again;
  again.checkpoint_stride_tokens = kStride;
  const IngestResult result = IngestText("a", text, again);
  EXPECT_EQ(result.tokens_restored, seen);
  EXPECT_EQ(result.saved.state.id, Afresh(text));
  ExpectSound();
}

TEST_F(PrefixReuse, WithoutKeptTokensStatesAreFoundAsWell) {
  options_.keep_tokens = false;
  IngestText("a", Sentences(20), options_);
  IngestOptions keeping;
  keeping.checkpoint_stride_tokens = kStride;
  const std::string edited = Sentences(18, "The end.");
  const IngestResult result = IngestText("b", edited, keeping);
  EXPECT_GT(result.tokens_restored, 0u);
  EXPECT_TRUE(result.saved.state.tokens_kept);
  EXPECT_EQ(TokensOf(library_, result.saved.state.id)->Values(),
            model_.runtime->tokenizer().Encode(edited, tokenizer::AddSpecial::kYes));
  ExpectSound();
}

TEST_F(PrefixReuse, ABudgetOfNothingMakesNoCheckpoints) {
  library_.repository().index().checkpoints().SetBudget(0);
  EXPECT_EQ(IngestText("a", Sentences(20), options_).checkpoints, 0u);
  EXPECT_THAT(Checkpoints(""), testing::IsEmpty());
}

TEST_F(PrefixReuse, ASmallBudgetHoldsWhileADocumentIsRead) {
  const uint64_t bytes = IngestText("small", "Hello there.", options_).saved.state.stored_bytes;
  storage::IndexCheckpoints& checkpoints = library_.repository().index().checkpoints();
  checkpoints.SetBudget(3 * bytes);
  IngestText("a", Sentences(40), options_);
  EXPECT_LE(checkpoints.Usage().stored_bytes, 3 * bytes);
  EXPECT_GE(Checkpoints("a").size(), 2u);
  EXPECT_EQ(storage::CollectGarbage(library_.repository(), {.dry_run = true}).objects, 0u);
  ExpectSound();
}

TEST_F(PrefixReuse, APromptFindsTheStateOfTheDocumentThatItBeginsWith) {
  // "red" and "dish" make other tokens together.
  IngestText("a", Sentences(5, "The gate is red"), options_);
  const std::string prompt = Sentences(5, "The gate is red") + "dish. Question: why?";
  const auto found = FindPromptPrefix(library_, model_, prompt);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->loaded.origin.reference->Text(), "a@1");
  EXPECT_EQ(model_.runtime->tokenizer().Decode(found->rest), "dish. Question: why?");
}

TEST_F(PrefixReuse, APromptFindsTheLongestCheckpointThatItBeginsWith) {
  IngestText("a", Sentences(20), options_);
  const std::string prompt = Sentences(12, "What now?");
  const auto found = FindPromptPrefix(library_, model_, prompt);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->loaded.state.token_count() % kStride, 0u);
  EXPECT_GT(found->loaded.state.token_count(), 0u);
  EXPECT_EQ(found->loaded.state.token_count() + found->rest.size(),
            model_.runtime->tokenizer().Encode(prompt, tokenizer::AddSpecial::kYes).size());
  EXPECT_FALSE(FindPromptPrefix(library_, model_, "Something else altogether."));
}

}  // namespace
}  // namespace statelib::library
