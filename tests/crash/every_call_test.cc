// SPDX-License-Identifier: Apache-2.0
// The program, killed before each system call by which it touches a library, unless the library is
// as it was before the last such call and so would be what is left: the library verifies,
// its names are those from before the command or those from after it, all at once, and every state
// that they name has the very bytes that it was stored with.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <map>
#include <optional>

#include "statestore/storage/repair.h"
#include "statestore/storage/state_object.h"
#include "tests/cli/library_fixture.h"
#include "tests/crash/traced_process.h"
#include "tests/statestore/sample_library.h"

namespace statelib::cli {
namespace {

namespace fs = std::filesystem;
using storage::Repository;
using Access = Repository::Access;
using NamedStates = std::map<std::string, storage::StateId>;  // "name:tag@version" -> state
using Environment = std::map<std::string, std::string>;

constexpr int64_t kYearsLater = int64_t{1} << 42;
// After every so many kills the command is run again, and gc after it.
constexpr int kAgainEvery = 3;

class KilledAtEveryCall : public LibraryTest {
 protected:
  /// A process that is killed leaves what it has written whatever the disk: memory is the fastest.
  static void SetUpTestSuite() {
    if (::access("/dev/shm", W_OK | X_OK) == 0) ::setenv("TMPDIR", "/dev/shm", 1);
  }
  static void TearDownTestSuite() { ::unsetenv("TMPDIR"); }

  void SetUp() override {
    MakeTinyModel();
    Facts({"model", "add", Path("tiny")});
    Facts({"model", "default", "tiny"});
    Ingest("kept", "The roof leaks, and nobody knows why.");
    Ingest("old", "An old text.");
  }
  std::string Ingest(const std::string& name, const std::string& text) {
    const std::string file = Write(name + ".txt", text);
    Facts({"ingest", name, file, "--checkpoint-every", "16", "--threads", "1"});
    return file;
  }

  /// Runs a command to its end, and again and again, killed before each call that concerns
  /// `watched` and finds it changed. `prepare` makes what it finds; `check` looks at what it left,
  /// whether it came to its end, and whether it is time to run the command again.
  void KillAtEveryCall(const Arguments& command, const Environment& environment,
                       const fs::path& watched, const std::function<void()>& prepare,
                       const std::function<void(bool finished, bool again)>& check) {
    std::vector<std::string> words = {STATELIB_PROGRAM};
    words.insert(words.end(), command.begin(), command.end());
    prepare();
    const TracedCalls calls = RunProgramAndCountCalls(words, environment, watched);
    if (calls.end == TracedEnd::kNotPossible) GTEST_SKIP() << "this machine does not allow ptrace";
    ASSERT_EQ(calls.end, TracedEnd::kFinished);
    check(true, true);
    if (HasFailure()) return;
    int kills = 0;
    for (const int n : calls.after_changes) {
      SCOPED_TRACE("killed at call " + std::to_string(n));
      prepare();
      const TracedEnd end = RunProgramAndKillAtCall(n, words, environment, watched);
      ASSERT_TRUE(end == TracedEnd::kKilled || end == TracedEnd::kFinished);
      check(end == TracedEnd::kFinished, ++kills % kAgainEvery == 0);
      if (HasFailure()) return;
    }
    RecordProperty("calls", calls.all);
    RecordProperty("kills", kills);
    EXPECT_GE(calls.all, 40);
    EXPECT_GT(kills, 10);
  }

  /// The same on copies of the library: each is as before the command or as after it.
  void KillAtEveryCall(const Arguments& command) {
    const fs::path copy = Path("copy");
    ProcessOptions again;
    again.environment = With(copy);
    const NamedStates before = NamesIn(Library());
    Copy(copy);
    Facts(command, again);
    const NamedStates after = NamesIn(copy);
    KillAtEveryCall(
        command, With(copy), copy, [&] { Copy(copy); },
        [&](bool finished, bool run_again) {
          const NamedStates now = CheckedNamesIn(copy);
          EXPECT_TRUE(now == before || now == after);
          const NamedStates repaired = NamesFromRecords(copy);
          EXPECT_TRUE(repaired == before || repaired == after);
          EXPECT_TRUE(now == before || repaired == after);  // what was committed is in the records
          if (finished) {
            EXPECT_EQ(now, after);
          }
          if (!run_again) return;
          if (now == before) Facts(command, again);
          CollectAllGarbage(copy);
          EXPECT_EQ(CheckedNamesIn(copy), after);
          EXPECT_EQ(NamesFromRecords(copy), after);
        });
  }

  /// What somebody finds who opens the library, with writing or making one where there is none: the
  /// names, or that repair is needed. Looks at a copy, for SQLite tidies up.
  void ExpectNamesOrRefusal(const fs::path& library, const NamedStates& names, int* refused) {
    const fs::path looked_at = Path("looked-at");
    fs::remove_all(looked_at);
    fs::copy(library, looked_at, fs::copy_options::recursive);
    try {
      EXPECT_EQ(NamesIn(Repository::Open(looked_at, Access::kCreate)), names);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << error.what();
      EXPECT_NE(std::string_view(error.what()).find("`statelib repair`"), std::string_view::npos)
          << error.what();
      ++*refused;
    }
  }

  /// The names of a copy of a library whose index is lost and made again.
  NamedStates NamesFromRecords(const fs::path& library) {
    const fs::path lost = Path("lost");
    fs::remove_all(lost);
    fs::copy(library, lost, fs::copy_options::recursive);
    for (const char* end : {"", "-wal", "-shm"}) fs::remove(lost / (std::string("index.db") + end));
    storage::RepairIndex(lost, FileSystem::Real(), {});
    return CheckedNamesIn(lost);
  }

  Environment With(const fs::path& library) const {
    return {{"STATELIB_HOME", library.string()}, {"XDG_CONFIG_HOME", Path("config")}};
  }
  static NamedStates NamesIn(const fs::path& library) {
    return NamesIn(Repository::Open(library, Access::kRead));
  }
  /// The names of a library that has to be sound, whose states have to be readable whole.
  static NamedStates CheckedNamesIn(const fs::path& library) {
    const Repository repository = Repository::Open(library, Access::kWrite);
    storage::ExpectClean(repository);
    const NamedStates names = NamesIn(repository);
    for (const auto& [name, id] : names) {
      const auto row = repository.index().states().Find(id);
      const Bytes file = repository.objects().Get(id);  // whose hash is the id
      EXPECT_EQ(storage::VerifyState(file, name).content, row->content) << name;
    }
    return names;
  }

  void Copy(const fs::path& copy) const {
    fs::remove_all(copy);
    fs::copy(Library(), copy, fs::copy_options::recursive);
  }

 private:
  /// A model that starts at once: its tokens are the characters of ASCII.
  void MakeTinyModel() const {
    const fs::path golden = fs::path(STATELIB_SOURCE_DIR) / "tests" / "golden" / "mamba";
    fs::create_directory(Path("tiny"));
    for (const char* const name : {"config.json", "model.safetensors"})
      fs::copy(golden / name, fs::path(Path("tiny")) / name);
    nlohmann::json vocabulary;
    for (int character = 0; character < 128; ++character)
      vocabulary[std::string(1, static_cast<char>(character))] = character;
    const nlohmann::json tokenizer = {
        {"version", "1.0"},
        {"added_tokens", nlohmann::json::array()},
        {"normalizer", nullptr},
        {"pre_tokenizer", nullptr},
        {"post_processor", nullptr},
        {"decoder", {{"type", "Fuse"}}},
        {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", nlohmann::json::array()}}}};
    Write("tiny/tokenizer.json", tokenizer.dump());
  }

  static NamedStates NamesIn(const Repository& repository) {
    NamedStates names;
    for (const storage::ReferenceRow& row : repository.index().references().List({}))
      for (const auto& version : repository.index().references().Versions(row.name, row.tag))
        names[row.name + ":" + row.tag + "@" + std::to_string(version.number)] = version.state;
    return names;
  }

  static void CollectAllGarbage(const fs::path& library) {
    Repository repository = Repository::Open(library, Access::kWrite);
    storage::CollectGarbage(repository, {.now_ms = kYearsLater});
    EXPECT_TRUE(repository.objects().Temporaries().empty());
  }
};

TEST_F(KilledAtEveryCall, IngestIsAllOrNothing) {
  fs::remove_all(fs::path(Library()) / "cache");  // the weights are packed, too
  KillAtEveryCall({"ingest", "new", Write("new.txt", "The roof leaks, and the gate is open."),
                   "--checkpoint-every", "16", "--threads", "1"});
}

TEST_F(KilledAtEveryCall, AppendIsAllOrNothing) {
  KillAtEveryCall({"append", "kept", Write("more.txt", " Somebody will look."), "--threads", "1"});
}

TEST_F(KilledAtEveryCall, RmIsAllOrNothing) { KillAtEveryCall({"rm", "old"}); }

TEST_F(KilledAtEveryCall, MvIsAllOrNothing) { KillAtEveryCall({"mv", "old", "moved"}); }

TEST_F(KilledAtEveryCall, TheFirstIngestLeavesALibraryOrNone) {
  const fs::path fresh = Path("fresh");
  const Arguments command = {"ingest",  "first",      Write("first.txt", "The first."),
                             "--model", Path("tiny"), "--threads",
                             "1"};
  ProcessOptions elsewhere;
  elsewhere.environment = With(fresh);
  KillAtEveryCall(
      command, With(fresh), fresh, [&] { fs::remove_all(fresh); },
      [&](bool finished, bool again) {
        if (!again && !finished) return;
        Facts(command, elsewhere);
        EXPECT_EQ(CheckedNamesIn(fresh).size(), 1u);
        EXPECT_EQ(NamesFromRecords(fresh).size(), 1u);
      });
}

TEST_F(KilledAtEveryCall, RepairIsEndedByTheNextOne) {
  const NamedStates before = NamesIn(Library());
  const fs::path copy = Path("copy");
  int refused = 0;
  KillAtEveryCall(
      {"repair"}, With(copy), copy,
      [&] {
        Copy(copy);
        Write("copy/index.db", std::string(20'000, 'x'));
        Write("copy/index.db-wal", "y");
        fs::remove(copy / "library.toml");
      },
      [&](bool, bool) {
        ExpectNamesOrRefusal(copy, before, &refused);
        storage::RepairIndex(copy, FileSystem::Real(), {});
        EXPECT_EQ(CheckedNamesIn(copy), before);
      });
  EXPECT_GT(refused, 40);
}

TEST_F(KilledAtEveryCall, RepairOfASoundIndexLeavesTheOldOneOrTheNewOne) {
  const NamedStates before = NamesIn(Library());
  const fs::path copy = Path("copy");
  int refused = 0;
  KillAtEveryCall(
      {"repair", "--rebuild"}, With(copy), copy, [&] { Copy(copy); },
      [&](bool, bool) { ExpectNamesOrRefusal(copy, before, &refused); });
  EXPECT_EQ(refused, 0);
}

TEST_F(KilledAtEveryCall, RepairOfAnIndexWithALogMissesNoneOfItAndMixesNoneIn) {
  // While somebody has the library open, what is new stands in the log alone.
  std::optional<Repository> open = Repository::Open(Library(), Access::kWrite);
  Facts({"mv", "old", "moved"});
  const fs::path with_log = Path("with-log"), copy = Path("copy");
  Copy(with_log);
  open.reset();
  ASSERT_GT(fs::file_size(with_log / "index.db-wal"), 0u);
  const NamedStates before = NamesIn(Library());
  int refused = 0;
  KillAtEveryCall(
      {"repair", "--rebuild"}, With(copy), copy,
      [&] {
        fs::remove_all(copy);
        fs::copy(with_log, copy, fs::copy_options::recursive);
      },
      [&](bool, bool) {
        ExpectNamesOrRefusal(copy, before, &refused);
        storage::RepairIndex(copy, FileSystem::Real(), {});
        EXPECT_EQ(CheckedNamesIn(copy), before);
      });
  EXPECT_GT(refused, 0);
  EXPECT_LT(refused, 20);
}

TEST_F(KilledAtEveryCall, GcRemovesOnlyWhatNoNameLeadsTo) {
  Facts({"rm", "old"});
  KillAtEveryCall({"gc", "--grace", "0"});
}

TEST_F(KilledAtEveryCall, PushToAFolderIsAllOrNothing) {
  Facts({"key", "create", "me"});
  const fs::path shared = Path("shared");
  const Arguments push = {"push", shared.string(), "--all"}, look = {"ls-remote", shared.string()};
  const auto make_empty = [&] {
    fs::remove_all(shared);
    fs::create_directory(shared);
  };
  KillAtEveryCall(push, With(Library()), shared, make_empty, [&](bool finished, bool again) {
    const size_t versions = Facts(look)["versions"].size();
    EXPECT_TRUE(versions == 0 || versions == 2) << versions;
    if (!finished && !again) return;
    Facts(push);
    EXPECT_EQ(Facts(look)["versions"].size(), 2u);
    const fs::path copy = Path("copy");
    fs::remove_all(copy);
    ProcessOptions elsewhere;
    elsewhere.environment = With(copy);
    Facts({"pull", shared.string()}, elsewhere);
    EXPECT_EQ(CheckedNamesIn(copy), NamesIn(Library()));
  });
}

TEST_F(KilledAtEveryCall, ImportIsAllOrNothing) {
  Facts({"key", "create", "me"});
  Ingest("one", "The first of two.");
  Ingest("two", "The second of two.");
  Facts({"export", "one", "two", "-o", Path("shelf.statelib")});
  for (const Arguments& command :
       {Arguments{"rm", "one"}, Arguments{"rm", "two"}, Arguments{"gc", "--grace", "0"}})
    Facts(command);
  KillAtEveryCall({"import", Path("shelf.statelib")});
}

}  // namespace
}  // namespace statelib::cli
