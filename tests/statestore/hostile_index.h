// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_STATESTORE_HOSTILE_INDEX_H_
#define STATELIB_TESTS_STATESTORE_HOSTILE_INDEX_H_

#include <sqlite3.h>

#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "statestore/storage/bundle.h"
#include "statestore/storage/maintenance.h"
#include "statestore/storage/publish.h"
#include "statestore/storage/repository.h"
#include "tests/statestore/sample_new_state.h"

// A small library that has rows in every table, statements that change it behind its back, and
// everything that storage can be asked for, run on what is left.
namespace statelib::storage {

/// Runs `sql` on an index as another program would: no foreign keys, schema writable. Statements
/// that fail are passed over.
inline void ChangeIndex(const std::filesystem::path& index, const std::string& sql) {
  sqlite3* connection = nullptr;
  if (sqlite3_open(index.c_str(), &connection) == SQLITE_OK) {
    sqlite3_exec(connection, "PRAGMA writable_schema = ON", nullptr, nullptr, nullptr);
    sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr);
  }
  sqlite3_close(connection);
}

/// a@1 ingested with text, a@2 appended to it, far that goes on from there, delta with its base
/// whole, draft without tokens, a checkpoint, a move that was undone.
inline void MakeLibraryOfEverything(const std::filesystem::path& folder) {
  Repository repository = Repository::Open(folder, Repository::Access::kCreate);
  const auto publish = [&](const std::string& name, uint64_t token_count, Derivation derivation,
                           const std::function<void(NewState&)>& change = {}) {
    SampleNewState sample(token_count, 1);
    sample.state.model_name = "sample";
    if (change) change(sample.state);
    return Publish(repository, sample.state, std::move(derivation), Reference::Parse(name), 1000);
  };
  const std::string text = "The quick brown fox jumps over the lazy dog.";
  Derivation read;
  read.sources = {{"a.txt", text.size(), HashOf(AsBytes(text)), 5, 1000, "/nowhere/a.txt"}};
  const PublishedState first = publish("a", 5, read, [&](NewState& state) {
    state.texts.push_back({0, RunOf<char>(text), {0}});
  });
  Derivation more = read;
  more.operation = Operation::kAppend;
  more.parent = first.derivation;
  more.parent_state = first.state.id;
  const PublishedState second = publish("a", 6, more);
  Derivation far = more;
  far.parent = second.derivation;
  far.parent_state = second.state.id;
  publish("far", 7, far, [&](NewState& state) { state.prefix = second.state.id; });
  publish("draft", 8, {}, [](NewState& state) { state.description.tokens_kept = false; });
  SampleNewState whole(SampleStateNear(9, 3), 3), difference(SampleStateNear(10, 3), 3);
  const auto base = Publish(repository, whole.state, {}, Reference::Parse("whole"), 1000);
  difference.state.codec = Codec::kDelta;
  difference.state.prefix = base.state.id;
  Publish(repository, difference.state, {}, Reference::Parse("delta"), 1000);
  SampleNewState checkpoint(4, 1);
  PublishCheckpoint(repository, checkpoint.state, 1000);
  repository.index().states().Prove(first.state.id, "cpu f32 revision 1", 0, 1000);
  repository.index().references().Return("a", "latest", 1, true, 2000);
  ModelRow model = repository.index().models().Get(SampleModel().fingerprint);
  model.card = {"{question}", "\n", "Nothing."};
  model.prompt.stop = "";
  repository.index().models().Put(model);
  repository.index().models().SetDefault(SampleModel().fingerprint);
  repository.index().models().Remember("/nowhere", HashOf(ByteSpan()),
                                       {SampleModel().fingerprint, false});
  repository.index().checkpoints().SetBudget(uint64_t{1} << 20);
}

/// Runs what may end well or with one line of Error, and with nothing else.
template <typename Body>
void Attempt(const char* what, Body body) {
  try {
    body();
  } catch (const Error& error) {
    if (std::string_view(error.what()).find('\n') != std::string_view::npos)
      throw std::logic_error(std::string(what) + ": more than a line: " + error.what());
  } catch (const std::exception& error) {
    throw std::logic_error(std::string(what) + ": " + error.what());
  }
}

/// Looks at everything that a library holds.
inline void ReadEverything(const Repository& repository) {
  const Index& index = repository.index();
  using Sort = ReferenceQuery::Sort;
  std::vector<ReferenceRow> rows;
  Attempt("list", [&] { rows = index.references().List({}); });
  for (const Sort sort : {Sort::kTime, Sort::kTokens, Sort::kSize}) {
    Attempt("list in order", [&] { index.references().List({.sort = sort, .descending = true}); });
  }
  Attempt("list by source", [&] { index.references().List({.source_pattern = "*.txt"}); });
  for (const char* name :
       {"a", "a@1", "a@9", "a@{yesterday}", "far", "delta", "draft", "0123456"}) {
    Attempt("resolve", [&] {
      const ResolvedState state = repository.Resolve(name);
      Attempt("lineage",
              [&] { index.lineage().AncestorsOf(state.derivation.value_or(1), SIZE_MAX); });
      Attempt("names", [&] { index.references().NamesOf(state.state.id); });
      Attempt("proofs", [&] { index.states().ProofsOf(state.state.id); });
      Attempt("checkpoints", [&] { index.checkpoints().List(state.state.id); });
      Attempt("chunks", [&] { index.states().ChunksOf(state.state.id); });
      Attempt("base",
              [&] { index.states().FindBase(state.state.id, SampleState(11).description); });
      Attempt("sound", [&] { repository.IsSound(state.state); });
    });
    Attempt("versions", [&] { index.references().Versions("a", "latest"); });
    Attempt("before", [&] { index.references().VersionBefore("a", "latest"); });
  }
  Attempt("all checkpoints", [&] { index.checkpoints().List({}); });
  Attempt("usage", [&] { index.checkpoints().Usage(); });
  Attempt("thin", [&] { index.checkpoints().ToThin(1); });
  Attempt("models", [&] { index.models().All(); });
  Attempt("default", [&] { index.models().Default(); });
  Attempt("remembered", [&] { index.models().Remembered(SampleModel().fingerprint); });
  Attempt("sizes", [&] { index.lineage().SourceSizes(UINT32_MAX); });
  Attempt("lengths", [&] {
    index.states().Lengths(SampleModel().fingerprint, "cpu f32 revision 1", UINT32_MAX, 0);
  });
  Attempt("search", [&] {
    index.texts().Find("fox OR dog", [&](const TextHit& hit) {
      Attempt("holders", [&] { index.texts().HoldersOf(hit, {}); });
      return true;
    });
  });
  Attempt("verify", [&] { Verify(repository); });
}

/// Exports everything to files in `scratch`.
inline void ExportEverything(const Repository& repository, const std::filesystem::path& scratch) {
  Attempt("export", [&] {
    for (const ReferenceRow& row : repository.index().references().List({})) {
      for (const bool tokens : {true, false}) {
        Attempt("export", [&] {
          const ResolvedState state =
              repository.Resolve(Reference{row.name, row.tag, std::nullopt});
          ExportOptions options;
          options.manifest.tokens = tokens;
          ExportBundle(repository, std::span(&state, 1), FileSystem::Real(), scratch / "bundle",
                       options);
        });
      }
    }
  });
}

/// Changes a library in every way, the cleaning up last.
inline void WriteEverything(Repository& repository) {
  Index& index = repository.index();
  for (const char* name : {"a", "new"}) {
    Attempt("publish", [&] {
      SampleNewState sample(12, 1);
      const auto far = repository.Resolve("far");
      sample.state.prefix = far.state.id;
      sample.state.codec = Codec::kDelta;
      Derivation derivation;
      derivation.parent = far.derivation;
      derivation.parent_state = far.state.id;
      Publish(repository, sample.state, derivation, Reference::Parse(name), 3000);
    });
  }
  Attempt("checkpoint", [&] {
    SampleNewState sample(3, 1);
    PublishCheckpoint(repository, sample.state, 3000);
  });
  Attempt("checkout", [&] { index.references().Return("a", "latest", 2, false, 3000); });
  Attempt("forget versions", [&] { index.references().Forget("a", "latest", {1, 2}, 3000); });
  Attempt("rename", [&] { index.references().Rename("far", "latest", "near", "latest", 3000); });
  Attempt("thin", [&] { ThinCheckpoints(repository); });
  Attempt("gc", [&] { CollectGarbage(repository, {.dry_run = true, .now_ms = INT32_MAX}); });
  for (const char* name : {"a", "near", "draft", "delta"})
    Attempt("rm", [&] { index.references().Remove(name, "latest", 4000); });
  Attempt("forget", [&] { index.models().Remove(SampleModel().fingerprint); });
  Attempt("gc", [&] { CollectGarbage(repository, {.now_ms = INT32_MAX}); });
}

}  // namespace statelib::storage

#endif  // STATELIB_TESTS_STATESTORE_HOSTILE_INDEX_H_
