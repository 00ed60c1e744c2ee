// SPDX-License-Identifier: Apache-2.0
// Many states read at once, and what is not read because nothing has changed.
#include <gmock/gmock.h>

#include <map>

#include "statestore/library/inspect.h"
#include "statestore/library/up_to_date.h"
#include "statestore/storage/maintenance.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/library/demo_library.h"

namespace statelib::library {
namespace {

constexpr uint64_t kStride = 64;

class BatchedIngestTest : public DemoLibrary {
 protected:
  BatchedIngestTest() { options_.checkpoint_stride_tokens = kStride; }

  static std::string Text(int number) {
    std::string text = "Document " + std::to_string(number) + ".\n";
    for (int i = 0; i < number * 7 % 23; ++i)
      text += "On day " + std::to_string(i) + " gate " + std::to_string(number) + " was painted.\n";
    return text;
  }
  IngestJob Job(int number) const {
    return {storage::Reference::Parse("many/" + std::to_string(number)),
            {{std::to_string(number) + ".md", Text(number)}},
            options_};
  }
  BatchOptions Jobs(int count) {
    BatchOptions how;
    how.next = [this, count]() -> std::optional<IngestJob> {
      if (begun_ == count) return std::nullopt;
      return Job(begun_++);
    };
    how.done = [this](size_t job, const IngestResult& result) { results_[job] = result; };
    return how;
  }
  void ExpectSound() {
    for (const auto& problem : storage::Verify(library_.repository()).problems)
      ADD_FAILURE() << problem.what;
  }

  IngestOptions options_;
  int begun_ = 0;
  std::map<size_t, IngestResult> results_;
};

TEST_F(BatchedIngestTest, EachStateIsTheOneOfItsOwnIngest) {
  constexpr int kCount = 2 * kBatchJobsMax + 5;
  IngestBatch(library_, model_, Jobs(kCount));
  ASSERT_EQ(results_.size(), size_t{kCount});
  Library alone = OpenLibrary("alone");
  for (int i = 0; i < kCount; ++i) {
    const IngestJob job = Job(i);
    const IngestResult single = Ingest(alone, model_, job.documents, job.reference, job.options);
    EXPECT_EQ(results_[i].saved.state.id, single.saved.state.id) << i;
    EXPECT_EQ(results_[i].tokens_read, single.tokens_read) << i;
    EXPECT_EQ(results_[i].checkpoints, single.checkpoints) << i;
    EXPECT_EQ(library_.Resolve(job.reference.name).state.id, single.saved.state.id) << i;
  }
  ExpectSound();
}

TEST_F(BatchedIngestTest, AtMostSixteenAreReadAtOnceAndAFinishedOneMakesRoom) {
  size_t finished = 0, most = 0;
  BatchOptions how = Jobs(40);
  const auto next = how.next;
  how.next = [&] {
    auto job = next();
    if (job) most = std::max(most, static_cast<size_t>(begun_) - finished);
    return job;
  };
  how.done = [&](size_t, const IngestResult&) { ++finished; };
  IngestBatch(library_, model_, how);
  EXPECT_EQ(finished, 40u);
  EXPECT_EQ(most, kBatchJobsMax);
}

TEST_F(BatchedIngestTest, EachStartsFromItsLongestStoredPrefix) {
  IngestBatch(library_, model_, Jobs(4));
  begun_ = 0;
  BatchOptions how = Jobs(4);
  const auto next = how.next;
  how.next = [&] {
    auto job = next();
    if (job) job->documents.push_back({"more", "And one line more.\n"});
    return job;
  };
  const auto before = results_;
  IngestBatch(library_, model_, how);
  for (const auto& [job, result] : results_) {
    EXPECT_GT(result.tokens_restored, 0u) << job;
    EXPECT_GE(result.tokens_restored + kStride, before.at(job).tokens_read) << job;
    EXPECT_EQ(result.saved.reference.version, 2u) << job;
  }
}

class SharedDocuments : public BatchedIngestTest {
 protected:
  /// Makes states of documents, each as NAME=FIRST+SECOND…, and returns what the model has read.
  uint64_t Make(const std::vector<std::pair<std::string, std::string>>& states) {
    size_t at = 0;
    BatchOptions how;
    how.next = [&]() -> std::optional<IngestJob> {
      if (at == states.size()) return std::nullopt;
      const auto& [name, documents] = states[at++];
      IngestJob job{storage::Reference::Parse(name), {}, options_};
      for (const char c : documents)
        job.documents.push_back({std::string(1, c), Text(20 + c % 7) + std::string(1, c)});
      return job;
    };
    uint64_t read = 0;
    how.done = [&](size_t job, const IngestResult& result) {
      EXPECT_EQ(result.saved.reference.name, states[job].first);
      read += result.tokens_read;
    };
    IngestBatch(library_, model_, how);
    EXPECT_EQ(List(library_, {}).size(), states.size());
    return read;
  }
  uint64_t TokensOf(const std::string& name) {
    return library_.Resolve(name).state.history.token_count();
  }
};

TEST_F(SharedDocuments, AreReadOnce) {
  const uint64_t read = Make({{"a", "x"}, {"ab", "xy"}, {"again", "x"}, {"ac", "xz"}});
  const uint64_t x = TokensOf("a");
  EXPECT_EQ(read, x + (TokensOf("ab") - x) + (TokensOf("ac") - x));
  EXPECT_EQ(library_.Resolve("again").state.id, library_.Resolve("a").state.id);
  ExpectSound();
}

TEST_F(SharedDocuments, AreReadOnceWithoutCheckpointsWhereOneStateIsTheBeginningOfAnother) {
  options_.checkpoint_stride_tokens = 0;
  const uint64_t read = Make({{"ab", "xy"}, {"a", "x"}});
  EXPECT_EQ(read, TokensOf("ab"));
}

TEST_F(SharedDocuments, AreReadOnceWhereTheResultsAreLossy) {
  options_.codec = {.codec = storage::Codec::kInt8};
  const uint64_t read = Make({{"a", "x"}, {"ab", "xy"}});
  EXPECT_EQ(read, TokensOf("ab"));
}

TEST_F(SharedDocuments, AreReadOnceOverALongChain) {
  std::vector<std::pair<std::string, std::string>> states;
  std::string documents;
  for (int i = 0; i < 20; ++i) {
    documents += static_cast<char>('a' + i);
    states.emplace_back(fmt::format("{}", i), documents);
  }
  const uint64_t read = Make(states);
  EXPECT_EQ(read, TokensOf("19"));
}

TEST_F(BatchedIngestTest, CancellingKeepsWhatIsFinishedAndCheckpointsOfTheRest) {
  CancelFlag cancel;
  BatchOptions how = Jobs(12);
  how.cancel = &cancel;
  how.done = [&](size_t job, const IngestResult& result) {
    results_[job] = result;
    if (results_.size() == 3) cancel.Cancel();
  };
  ExpectError(ErrorKind::kCancelled, "run the same command again",
              [&] { IngestBatch(library_, model_, how); });
  const size_t finished = List(library_, {}).size();
  EXPECT_GE(finished, 3u);
  EXPECT_LT(finished, 12u);
  const auto checkpoints = library_.repository().index().checkpoints().List(std::nullopt);
  EXPECT_GE(checkpoints.size(), 12 - finished);
  begun_ = 0;
  results_.clear();
  IngestBatch(library_, model_, Jobs(12));
  EXPECT_EQ(results_.size(), 12u);
  for (const auto& [job, result] : results_) EXPECT_GT(result.tokens_restored, 0u) << job;
  ExpectSound();
}

TEST_F(BatchedIngestTest, AJobThatCannotBeDoneDoesNotStopTheOthers) {
  BatchOptions how = Jobs(6);
  const auto next = how.next;
  how.next = [&] {
    auto job = next();
    if (job && begun_ == 3) job->documents[0].text = {};
    return job;
  };
  std::vector<size_t> failed;
  how.failed = [&](size_t job, const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("there is no text to read"));
    failed.push_back(job);
  };
  IngestBatch(library_, model_, how);
  EXPECT_THAT(failed, testing::ElementsAre(2u));
  EXPECT_EQ(results_.size(), 5u);
  begun_ = 0;
  how.failed = nullptr;
  ExpectError(ErrorKind::kInvalidArgument, "no text", [&] { IngestBatch(library_, model_, how); });
}

class UpToDate : public DemoLibrary {
 protected:
  static SourceFile FileOf(const std::string& text) { return {text.size(), HashOf(AsBytes(text))}; }
  bool Holds(const std::vector<NamedSource>& sources, const IngestOptions& options = {}) {
    return FindUpToDate(library_, model_.key(), storage::Reference::Parse("a"), sources, options)
        .has_value();
  }
};

TEST_F(UpToDate, IsWhatTheSameFilesAndOptionsMade) {
  EXPECT_FALSE(Holds({{"a.txt", FileOf("One.")}}));
  IngestText("a", "One.");
  EXPECT_TRUE(Holds({{"a.txt", FileOf("One.")}}));
  EXPECT_TRUE(Holds({{"renamed.txt", FileOf("One.")}}));
  EXPECT_FALSE(Holds({{"a.txt", FileOf("Two.")}}));
  EXPECT_FALSE(Holds({{"a.txt", FileOf("One.")}, {"b.txt", FileOf("Two.")}}));
  IngestOptions other;
  other.text_template.separator = "--";
  EXPECT_TRUE(Holds({{"a.txt", FileOf("One.")}}, other)) << "it stands between files";
  other.text_template.heading = "# {name}";
  EXPECT_FALSE(Holds({{"a.txt", FileOf("One.")}}, other));
  IngestOptions lossy;
  lossy.codec.codec = storage::Codec::kInt8;
  EXPECT_FALSE(Holds({{"a.txt", FileOf("One.")}}, lossy));
  AppendText("a", "More.");
  EXPECT_FALSE(Holds({{"a.txt", FileOf("One.")}}));
}

TEST_F(UpToDate, ATemplateIsRecordedAndCounts) {
  IngestOptions options;
  options.text_template = {"--", "# {name}"};
  const std::vector<Document> documents = {{"a", "One.", FileOf("One."), "# a"},
                                           {"b", "Two.", FileOf("Two."), "--# b"}};
  Ingest(library_, model_, documents, storage::Reference::Parse("a"), options);
  EXPECT_EQ(Log(library_, "a")[0].derivation.text_template, options.text_template);
  EXPECT_TRUE(Holds({{"a", FileOf("One.")}, {"b", FileOf("Two.")}}, options));
  EXPECT_FALSE(Holds({{"a", FileOf("One.")}, {"c", FileOf("Two.")}}, options));
  options.text_template.separator = "-";
  EXPECT_FALSE(Holds({{"a", FileOf("One.")}, {"b", FileOf("Two.")}}, options));
}

TEST_F(UpToDate, OtherBytesWithTheSameTextAreAVersionOfTheSameState) {
  const auto ingest = [&](const std::string& bytes) {
    const Document document{"a.html", "Text.", FileOf(bytes)};
    return Ingest(library_, model_, std::span(&document, 1), storage::Reference::Parse("a"), {});
  };
  const IngestResult first = ingest("<p>Text.");
  const IngestResult second = ingest("<b>Text.");
  EXPECT_EQ(second.saved.state.id, first.saved.state.id);
  EXPECT_EQ(second.saved.reference.version, 2u);
  EXPECT_FALSE(second.saved.version_before);
  EXPECT_TRUE(ingest("<b>Text.").saved.version_before);
  EXPECT_TRUE(Holds({{"a.html", FileOf("<b>Text.")}}));
}

}  // namespace
}  // namespace statelib::library
