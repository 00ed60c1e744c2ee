// SPDX-License-Identifier: Apache-2.0
#include "tests/statestore/hostile_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "statestore/library/diff.h"
#include "statestore/library/history.h"
#include "statestore/library/inspect.h"
#include "statestore/library/organise.h"
#include "statestore/library/search.h"
#include "statestore/library/transfer.h"
#include "statestore/remote/folder_remote.h"
#include "tests/sanitized.h"
#include "tests/temporary_directory.h"

namespace statelib::library {
namespace {

namespace fs = std::filesystem;

using storage::Attempt;

constexpr rlim_t kCpuSeconds = 60;  // of all use cases together, which take a few ms
constexpr rlim_t kMemoryBytes = rlim_t{4}
                                << 30;  // of addresses; not under sanitizers, which map more

/// What somebody has done to the index, and the words in which it is found.
struct Change {
  const char* name;
  const char* sql;
  const char* found;  ///< in a problem of verify, or in the error of opening
};

std::vector<Change> Changes() {
  return {
      // Links that lead back.
      {"BaseIsItself", "UPDATE states SET base = id WHERE base IS NOT NULL",
       "that is no base of it"},
      {"EveryBaseIsItself", "UPDATE states SET base = id", "that is no base of it"},
      {"BasesInACircle",
       "UPDATE states SET base = (SELECT id FROM states AS other WHERE other.key <> states.key AND "
       "other.token_count > 8 LIMIT 1) WHERE token_count > 8",
       "that is no base of it"},
      {"BaseOfAnotherProfile", "UPDATE states SET profile = 'other' WHERE token_count = 9",
       "that is no base of it"},
      {"BaseThatIsGone", "DELETE FROM states WHERE token_count = 9", "that is not there"},
      {"DerivationIsItsParent", "UPDATE derivations SET parent = key",
       "a parent that is not older"},
      {"DerivationsInACircle", "UPDATE derivations SET parent = 4 - key WHERE key < 4",
       "a parent that is not older"},
      {"ParentThatIsGone", "UPDATE derivations SET parent = -5 WHERE key = 2", "that is not there"},
      {"PrefixIsItself", "UPDATE states SET prefix = key", "one that is not shorter"},
      {"PrefixesInACircle", "UPDATE states SET prefix = 1 + key % 6", "one that is not shorter"},
      // Versions and moves that lead elsewhere.
      {"VersionOfAnotherState", "UPDATE versions SET state = 3 WHERE ref = 1 AND number = 1",
       "the version a:latest@1 points elsewhere"},
      {"VersionOfAnotherMaking", "UPDATE versions SET derivation = 3 WHERE ref = 1 AND number = 2",
       "the version a:latest@2 points elsewhere"},
      {"MakingOfAnotherLength", "UPDATE derivations SET token_count = 99 WHERE key = 1",
       "different numbers of tokens"},
      {"VersionOfNoState", "UPDATE versions SET state = 77", "that is not there"},
      {"VersionOfNoMaking", "UPDATE versions SET derivation = 77", "that is not there"},
      {"NoCurrentVersion", "UPDATE refs SET current = 9",
       "the current version of a:latest is missing"},
      {"NoVersions", "DELETE FROM versions", "the current version of a:latest is missing"},
      {"CurrentIsNotTheLastMove", "UPDATE refs SET current = 2 WHERE name = 'a'",
       "not at the version that it was moved to last"},
      {"NoMoves", "DELETE FROM moves", "not at the version that it was moved to last"},
      {"MovesToNowhere", "UPDATE moves SET version = 50", "a move to a:latest@50"},
      {"MovesWithoutEnd", "UPDATE moves SET number = 9223372036854775807 WHERE ref = 2", ""},
      {"VersionsWithoutEnd",
       "UPDATE versions SET number = 9223372036854775807 WHERE ref = 2; UPDATE refs SET current = "
       "9223372036854775807 WHERE key = 2; UPDATE moves SET version = 9223372036854775807 WHERE "
       "ref "
       "= 2",
       ""},
      // Tables that are gone or others.
      {"NoMovesTable", "DROP TABLE moves", "it has no table \"moves\""},
      {"NoFullText", "DROP TABLE passages_fts", "it has no table \"passages_fts\""},
      {"NoStatesTable", "DROP TABLE states", "it has no index \"states_by_base\""},
      {"NoColumn", "ALTER TABLE sources DROP COLUMN path", "the table \"sources\" is another one"},
      {"NoIndex", "DROP INDEX refs_by_tag", "it has no index \"refs_by_tag\""},
      {"NoTrigger", "DROP TRIGGER states_leave_their_prefix", "it has no trigger"},
      {"EndlessView",
       "DROP TABLE proofs; CREATE VIEW proofs AS WITH RECURSIVE n(state) AS (SELECT 1 UNION ALL "
       "SELECT state + 1 FROM n) SELECT state, 'x' AS profile, 0 AS from_tokens, 0 AS proved_at "
       "FROM "
       "n",
       "it has no table \"proofs\""},
      {"EndlessTrigger",
       "CREATE TRIGGER more AFTER DELETE ON refs BEGIN INSERT INTO settings WITH RECURSIVE n(x) AS "
       "(SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT 'k' || x, x FROM n; END",
       "it has a trigger \"more\" that statelib does not make"},
      {"NoFullTextData", "DELETE FROM passages_fts_data", "the words that search looks in"},
      {"FullTextOfNoise", "UPDATE passages_fts_data SET block = randomblob(64)",
       "the words that search looks in"},
      {"FullTextOfZeros", "UPDATE passages_fts_data SET block = zeroblob(100000)",
       "the words that search looks in"},
      {"FullTextOfOtherWords", "UPDATE passages SET body = replace(body, 'fox', 'hen')",
       "the words that search looks in"},
      {"FullTextOfAPassageThatIsGone", "DELETE FROM passages WHERE key = 1",
       "the words that search looks in"},
      {"FullTextOfOtherLengths", "UPDATE passages_fts_docsize SET sz = x'01'",
       "the words that search looks in"},
      {"FullTextWithoutALength", "DELETE FROM passages_fts_docsize WHERE id = 1",
       "the words that search looks in"},
      // Values of another kind.
      {"TokenCountIsAText", "UPDATE states SET token_count = 'many'", "states.token_count holds"},
      {"TokenCountIsNegative", "UPDATE states SET token_count = -1", "a negative number"},
      {"TokenCountIsHuge", "UPDATE states SET token_count = 9223372036854775807",
       "the index says something else"},
      {"SizesAreHuge",
       "UPDATE states SET raw_bytes = 9223372036854775807, stored_bytes = 9223372036854775807",
       "the index says something else"},
      {"SizesAreFractions", "UPDATE states SET raw_bytes = 1.5", "states.raw_bytes holds"},
      {"IdsAreShort",
       "PRAGMA ignore_check_constraints = ON; UPDATE states SET id = CAST(key AS BLOB)",
       "no hash of 32 bytes"},
      {"ModelsAreTexts", "UPDATE states SET model = 'demo'", "states.model holds"},
      {"ChainIsShort", "UPDATE states SET history_chain = x'00'", "no hash of 32 bytes"},
      {"ContentIsNull", "UPDATE states SET content = x''", "no hash of 32 bytes"},
      {"ProfileIsBytes", "UPDATE states SET profile = x'ff00'", "states.profile holds"},
      {"ChunksAreHuge", "UPDATE state_chunks SET token_count = 4294967301", "expected 1 to"},
      {"ChunksAreEmpty", "UPDATE state_chunks SET token_count = 0", "expected 1 to"},
      {"ChunksWithoutEnd",
       "INSERT INTO state_chunks WITH RECURSIVE n(x) AS (SELECT 10 UNION ALL SELECT x + 1 FROM n "
       "WHERE x < 100000) SELECT 1, x, (SELECT chunk FROM state_chunks LIMIT 1), 4096 FROM n; "
       "UPDATE "
       "states SET token_count = 409600000",
       "the index says something else"},
      {"ChunkPositionsAreTexts", "UPDATE state_chunks SET position = 'first'",
       "state_chunks.position holds"},
      {"SourcesAreHuge",
       "UPDATE sources SET size_bytes = 9223372036854775807, token_count = "
       "9223372036854775807",
       ""},
      {"SourcesAreTexts", "UPDATE sources SET size_bytes = 'x', token_count = 'y', digest = 'z'",
       "sources.size_bytes holds"},
      {"OperationIsUnknown", "UPDATE derivations SET operation = 4000000000", ""},
      {"TimesAreExtreme",
       "UPDATE refs SET moved_at = -9223372036854775808; UPDATE versions SET created_at = "
       "9223372036854775807; UPDATE states SET created_at = -9223372036854775808; UPDATE moves SET "
       "moved_at = 9223372036854775807",
       ""},
      {"FirstTokensAreNoise", "UPDATE source_texts SET first_tokens = 'zzzzzzzzzzzz'", ""},
      {"PassagesAreBytes", "UPDATE passages SET body = x'ff00ff', first_byte = -3",
       "passages.body holds"},
      {"BudgetIsAText", "UPDATE settings SET value = 'much'", ""},
      {"BudgetIsNegative", "UPDATE settings SET value = -1 WHERE key <> 'default_model'", ""},
      {"DefaultIsShort", "UPDATE settings SET value = x'01'", ""},
      {"NoSequenceLeft", "UPDATE sqlite_sequence SET seq = 9223372036854775807", ""},
      // Texts that are no names, and texts for a terminal.
      {"NameOfControls", "UPDATE refs SET name = char(27) || '[2J' || char(10) WHERE key = 1",
       "a name that is none"},
      {"NameUpTheTree", "UPDATE refs SET name = '../../x' WHERE key = 1", "a name that is none"},
      {"TagOfControls", "UPDATE refs SET tag = char(13) WHERE key = 1", "a name that is none"},
      {"NameIsANumber", "UPDATE refs SET name = x'00' WHERE key = 1", "refs.name holds"},
      {"LongName", "UPDATE refs SET name = hex(zeroblob(3000000)) WHERE key = 1",
       "a name that is none"},
      {"TextsOfControls",
       "UPDATE models SET name = char(27), architecture = char(10), summary = char(7), path = "
       "char(0), description = '{\"weights\": [1, {\"type\": 5}], \"parameters\": -1}'",
       ""},
      {"PromptOfControls", "UPDATE models SET card_question = char(27) || '{question}'",
       "a prompt form that is none: prompt.question: expected text in UTF-8"},
      {"PromptWithoutAQuestion", "UPDATE models SET prompt_question = 'Who?'",
       "expected {question} once"},
      {"PromptIsHuge", "UPDATE models SET card_stop = hex(zeroblob(3000000))",
       "prompt.stop: 6000000 bytes"},
      {"PromptIsANumber", "UPDATE models SET prompt_refusal = x'00ff', card_refusal = 5",
       "models.prompt_refusal holds"},
      {"SourceOfControls", "UPDATE sources SET name = char(27) || char(10), path = '/dev/zero'",
       ""},
      {"SourceIsAFolder", "UPDATE sources SET path = '/', size_bytes = 4096", ""},
      {"NoModel", "DELETE FROM models", "that is not there"},
  };
}

/// The library's use cases that need no model.
void UseLibrary(Library& library, const fs::path& scratch) {
  for (const char* name : {"a", "a@1", "a@2", "far", "delta", "draft", "whole"}) {
    Attempt("show", [&] { Show(library, name); });
    Attempt("log", [&] { Log(library, name); });
    Attempt("status", [&] { StatusOf(library, library.Resolve(name)); });
    Attempt("diff", [&] {
      Diff(library, library.Resolve("far"), library.Resolve(name), nullptr, nullptr);
    });
  }
  Attempt("search", [&] { Search(library, "fox", {}); });
  fs::create_directories(scratch / "share");
  for (const bool all : {false, true}) {
    Attempt("push", [&] {
      Selection everything{{}, all};
      for (const storage::ReferenceRow& row : List(library, {}))
        everything.names.push_back(row.name + ":" + row.tag);
      Push(library, *remote::OpenFolderRemote(scratch / "share"), everything, {});
    });
  }
  Attempt("undo", [&] { Undo(library, storage::Reference::Parse("a")); });
  Attempt("checkout", [&] { Checkout(library, "a@2"); });
  Attempt("branch", [&] { Branch(library, "far", storage::Reference::Parse("branch")); });
  Attempt("cp", [&] { Copy(library, "delta", storage::Reference::Parse("copy")); });
  Attempt("mv", [&] {
    Move(library, storage::Reference::Parse("copy"), storage::Reference::Parse("moved"));
  });
  Attempt("rm", [&] {
    Remove(library, {storage::Reference::Parse("whole"), storage::Reference::Parse("moved")},
           false);
  });
}

void UseAll(const fs::path& folder, const fs::path& scratch) {
  Attempt("open", [&] {
    Library library = Library::Open(folder, Library::Access::kWrite);
    storage::ReadEverything(library.repository());
    storage::ExportEverything(library.repository(), scratch);
    UseLibrary(library, scratch);
    storage::WriteEverything(library.repository());
  });
}

/// What verify says of a library, or the error that kept it from being opened.
std::string Findings(const fs::path& folder) {
  try {
    const Library library = Library::Open(folder, Library::Access::kRead);
    std::string findings;
    for (const storage::Problem& problem : storage::Verify(library.repository()).problems)
      findings += problem.what + "\n";
    return findings;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt) << error.what();
    EXPECT_THAT(error.what(), testing::HasSubstr("statelib repair"));
    return error.what();
  }
}

/// Runs `body` in a process of its own, with bounded time and memory; returns how that ended.
template <typename Body>
int InItsOwnProcess(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit time{kCpuSeconds, kCpuSeconds}, memory{kMemoryBytes, kMemoryBytes};
    ::setrlimit(RLIMIT_CPU, &time);
    if (!kIsSanitized) ::setrlimit(RLIMIT_AS, &memory);
    try {
      body();
      ::_exit(0);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
    ::_exit(1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

class HostileIndex : public testing::Test {
 protected:
  HostileIndex() { storage::MakeLibraryOfEverything(sound_); }

  /// A copy of the library with a change to its index.
  fs::path Changed(const std::string& name, const std::string& sql) {
    const fs::path copy = folder_.path() / name;
    fs::copy(sound_, copy, fs::copy_options::recursive);
    storage::ChangeIndex(copy / "index.db", sql);
    return copy;
  }

  TemporaryDirectory folder_;
  fs::path sound_ = folder_.path() / "sound";
};

TEST_F(HostileIndex, EveryUseOfASoundLibraryEndsWell) {
  EXPECT_EQ(Findings(sound_), "");
  EXPECT_EQ(InItsOwnProcess([&] { UseAll(sound_, folder_.path()); }), 0);
  EXPECT_TRUE(fs::exists(folder_.path() / "bundle"));
  EXPECT_TRUE(fs::exists(folder_.path() / "share" / "objects"));
  EXPECT_EQ(Findings(sound_), "");
  const Library library = Library::Open(sound_, Library::Access::kRead);
  EXPECT_THAT(List(library, {}), testing::SizeIs(2));  // branch, new
}

TEST_F(HostileIndex, NoChangeOfItCrashesHangsOrExhaustsAnyUse) {
  for (const Change& change : Changes()) {
    SCOPED_TRACE(change.name);
    const fs::path copy = Changed(change.name, change.sql);
    EXPECT_EQ(InItsOwnProcess([&] { UseAll(copy, folder_.path()); }), 0);
    fs::remove_all(copy);
  }
}

TEST_F(HostileIndex, VerifyNamesEveryChange) {
  for (const Change& change : Changes()) {
    SCOPED_TRACE(change.name);
    const fs::path copy = Changed(change.name, change.sql);
    const std::string findings = Findings(copy);
    EXPECT_THAT(findings, testing::HasSubstr(change.found));
    fs::remove_all(copy);
  }
}

TEST_F(HostileIndex, ForgettingAModelThatStatesNeedAndThatIsNotThereIsDamage) {
  const fs::path copy = Changed("copy", "DELETE FROM models");
  Library library = Library::Open(copy, Library::Access::kWrite);
  try {
    library.repository().index().models().Remove(storage::SampleModel().fingerprint);
    FAIL() << "nothing was refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kCorrupt);
    EXPECT_THAT(error.what(), testing::HasSubstr("it has no row of the model"));
  }
}

TEST_F(HostileIndex, OneBadRowDoesNotKeepTheOthersFromBeingVerified) {
  const fs::path copy = Changed("copy", "UPDATE refs SET moved_at = 'then' WHERE key = 1");
  const Library library = Library::Open(copy, Library::Access::kRead);
  const storage::VerifyReport report = storage::Verify(library.repository());
  EXPECT_EQ(report.states, 7u);
  EXPECT_FALSE(report.problems.empty());
}

}  // namespace
}  // namespace statelib::library
