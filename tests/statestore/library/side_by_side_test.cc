// SPDX-License-Identifier: Apache-2.0
// What is read goes on while states are stored, compressed and written, and waits for them only
// when too much of it would wait in memory.
#include <gmock/gmock.h>

#include <chrono>
#include <thread>

#include "statestore/library/reading.h"
#include "statestore/storage/maintenance.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/forwarding_file_system.h"
#include "tests/statestore/library/demo_library.h"

namespace statelib::library {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kStride = 64;

/// The real file system, which calls back before it makes a file of the library. One thread.
class Watched : public ForwardingFileSystem {
 public:
  std::unique_ptr<WritableFile> Create(const Path& path, Permissions permissions) override {
    if (on_create) on_create();
    return Real().Create(path, permissions);
  }

  std::function<void()> on_create;
};

class SideBySide : public DemoLibrary {
 protected:
  SideBySide() { options_.checkpoint_stride_tokens = kStride; }

  static Document Lines(const std::string& name, int count) {
    std::string text;
    for (int i = 0; i < count; ++i)
      text += "On day " + std::to_string(i) + " gate " + name + " was painted.\n";
    return {name, text};
  }
  std::unique_ptr<Reading> Begin(const Document& document) {
    SaveRequest request;
    request.reference = storage::Reference::Parse(document.name);
    request.operation = storage::Operation::kIngest;
    return std::make_unique<Reading>(watched_library_, model_, driver_, std::span(&document, 1),
                                     request, options_);
  }
  /// Whether it comes to that within a minute.
  static bool Await(const std::function<bool()>& done) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!done() && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(milliseconds(1));
    return done();
  }
  IngestResult ReadAndSave(Reading& reading) {
    do {
      if (!reading.is_ready()) driver_.WaitForStep(kStepWait);
      reading.Report();
      reading.StoreNext();
    } while (!reading.is_finished());
    return reading.Save();
  }
  void ExpectTheStateOf(const Document& document, const IngestResult& result) {
    Library alone = OpenLibrary("alone");
    IngestOptions without;
    without.checkpoint_stride_tokens = 0;
    EXPECT_EQ(
        Ingest(alone, model_, std::span(&document, 1), storage::Reference::Parse("a"), without)
            .saved.state.id,
        result.saved.state.id);
    for (const auto& problem : storage::Verify(watched_library_.repository()).problems)
      ADD_FAILURE() << problem.what;
  }

  Watched files_;
  Library watched_library_ =
      Library::Open(folder_.path() / "watched", Library::Access::kCreate, files_);
  IngestOptions options_;
  engine::BatchDriver driver_{*model_.runtime};
};

TEST_F(SideBySide, StepsGoOnWhileACheckpointIsWritten) {
  const Document document = Lines("long", 50);
  const auto reading = Begin(document);
  int writes = 0;
  files_.on_create = [&] {
    if (++writes > 1) return;
    EXPECT_TRUE(Await([&] { return reading->tokens_done() > kStride; }));
  };
  const IngestResult result = ReadAndSave(*reading);
  EXPECT_GT(writes, 2);
  EXPECT_EQ(result.checkpoints, (result.tokens_read - 1) / kStride);
  ExpectTheStateOf(document, result);
}

TEST_F(SideBySide, AReadingWaitsWhenTwoOfItsCheckpointsDo) {
  const Document document = Lines("long", 50);
  const auto reading = Begin(document);
  int writes = 0;
  files_.on_create = [&] {
    if (++writes > 1) return;
    const uint64_t all = ReadingSequence::kWaitingMax * kStride;
    EXPECT_TRUE(Await([&] { return reading->tokens_done() == all; }));
    std::this_thread::sleep_for(milliseconds(50));
    EXPECT_EQ(reading->tokens_done(), all);
  };
  ExpectTheStateOf(document, ReadAndSave(*reading));
}

TEST_F(SideBySide, OthersAreReadOnWhileOneWaits) {
  const Document slow = Lines("slow", 40), other = Lines("other", 60);
  const auto first = Begin(slow);
  options_.checkpoint_stride_tokens = 0;
  const auto second = Begin(other);
  options_.checkpoint_stride_tokens = kStride;
  int writes = 0;
  files_.on_create = [&] {
    if (++writes > 1) return;
    EXPECT_TRUE(Await([&] { return second->tokens_done() == second->tokens_total(); }));
    EXPECT_LT(first->tokens_done(), first->tokens_total());
  };
  const IngestResult result = ReadAndSave(*first);
  files_.on_create = nullptr;
  ExpectTheStateOf(slow, result);
  ExpectTheStateOf(other, ReadAndSave(*second));
}

TEST_F(SideBySide, AStoppedReadingKeepsWhatWaitedAndWhatWasRead) {
  const Document document = Lines("long", 50);
  const auto reading = Begin(document);
  EXPECT_TRUE(Await([&] { return reading->tokens_done() == 2 * kStride; }));
  reading->Stop();
  EXPECT_EQ(reading->checkpoints(), 2u);
  EXPECT_EQ(reading->tokens_stored(), 2 * kStride);
  const auto again = Begin(document);
  EXPECT_EQ(again->tokens_stored(), 2 * kStride);
  ExpectTheStateOf(document, ReadAndSave(*again));
}

TEST_F(SideBySide, AReadingThatIsGivenUpLeavesTheOthersAlone) {
  const Document document = Lines("long", 20), other = Lines("other", 100);
  auto given_up = Begin(other);
  const auto reading = Begin(document);
  driver_.WaitForStep(kStepWait);
  given_up.reset();
  ExpectTheStateOf(document, ReadAndSave(*reading));
}

TEST_F(SideBySide, ADiskThatIsFullEndsTheReadingWithItsError) {
  const Document document = Lines("long", 50);
  const auto reading = Begin(document);
  files_.on_create = [] { throw Error(ErrorKind::kIo, "no space left"); };
  ExpectError(ErrorKind::kIo, "no space left", [&] { ReadAndSave(*reading); });
}

}  // namespace
}  // namespace statelib::library
