// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/organise.h"

#include <gmock/gmock.h>

#include "statestore/library/exchange.h"
#include "statestore/library/inspect.h"
#include "statestore/storage/maintenance.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/library/demo_library.h"

namespace statelib::library {
namespace {

using storage::Reference;
using testing::ElementsAre;

class Organising : public DemoLibrary {
 protected:
  Organising() {
    IngestText("a", "First.");
    AppendText("a", " Second.");
  }
};

TEST_F(Organising, CopyingNamesAStateAgainWithItsLineage) {
  const SavedState copy = Copy(library_, "a@1", Reference::Parse("b:old"));
  EXPECT_EQ(copy.reference.Text(), "b:old@1");
  EXPECT_EQ(copy.state.id, library_.Resolve("a@1").state.id);
  const auto log = Log(library_, "b:old");
  EXPECT_EQ(log[0].derivation.operation, storage::Operation::kCopy);
  EXPECT_TRUE(Copy(library_, "a@1", Reference::Parse("b:old")).version_before);
  const std::string id = copy.state.id.Hex().substr(0, 10);
  EXPECT_EQ(Copy(library_, id, Reference::Parse("c")).state.id, copy.state.id);
  ExpectError(ErrorKind::kNotFound, "there is no state named x",
              [&] { Copy(library_, "x", Reference::Parse("y")); });
}

TEST_F(Organising, MovingTakesTheVersionsAlong) {
  Move(library_, Reference::Parse("a"), Reference::Parse("b:done"));
  EXPECT_EQ(Log(library_, "b:done").size(), 2u);
  ExpectError(ErrorKind::kNotFound, "a", [&] { library_.Resolve("a"); });
  ExpectError(ErrorKind::kNotFound, "there is no state named a",
              [&] { Move(library_, Reference::Parse("a"), Reference::Parse("c")); });
  ExpectError(ErrorKind::kInvalidArgument, "leave out '@1'",
              [&] { Move(library_, Reference::Parse("b:done@1"), Reference::Parse("c")); });
}

TEST_F(Organising, RemovingSaysWhatNothingLeadsToAnyMore) {
  const auto first = library_.Resolve("a@1").state.id;
  const auto second = library_.Resolve("a@2").state.id;
  Copy(library_, "a@1", Reference::Parse("b"));
  for (const bool dry_run : {true, false}) {
    const auto removed = Remove(library_, {Reference::Parse("a")}, dry_run);
    ASSERT_EQ(removed.size(), 1u);
    EXPECT_EQ(removed[0].versions, 2u);
    EXPECT_EQ(removed[0].state, second);
    EXPECT_THAT(removed[0].freed_states, ElementsAre(second));
    EXPECT_GT(removed[0].freed_bytes, 100'000u);
    EXPECT_EQ(List(library_, {}).size(), dry_run ? 2u : 1u);
  }
  EXPECT_EQ(library_.Resolve(second.Hex()).state.id, second);  // until gc
  storage::CollectGarbage(library_.repository(), {});
  ExpectError(ErrorKind::kNotFound, "", [&] { library_.Resolve(second.Hex()); });
  EXPECT_EQ(library_.Resolve("b").state.id, first);
}

TEST_F(Organising, RemovingForecastsWhatGcThenFrees) {
  // A long document with checkpoints, one that begins alike and shares a chunk of tokens, a state
  // that is a difference to another, and a copy.
  IngestOptions options;
  options.checkpoint_stride_tokens = 1000;
  std::string text;
  for (int i = 0; i < 900; ++i) text += fmt::format("Line {} of the minutes.\n", i);
  IngestText("long", text, options);
  IngestText("alike", text + "One more.", options);
  IngestText("short", "The roof leaks.");
  AppendText("short", " Still.");
  const storage::ResolvedState base = library_.Resolve("short");
  Recode(library_, model_, base, Reference::Parse("delta"), {.codec = storage::Codec::kDelta});
  Copy(library_, "alike", Reference::Parse("copy"));
  const storage::GarbageOptions gc{.now_ms = library_.now_ms()};
  storage::CollectGarbage(library_.repository(), gc);
  uint64_t freed = 0;
  for (const std::vector<std::string>& names :
       std::vector<std::vector<std::string>>{{"long"}, {"alike"}, {"short"}, {"delta", "copy"}}) {
    std::vector<Reference> references;
    for (const std::string& name : names) references.push_back(Reference::Parse(name));
    const auto forecast = Remove(library_, references, true);
    const auto removed = Remove(library_, references, false);
    uint64_t states = 0, objects = 0, bytes = 0;
    for (size_t i = 0; i < removed.size(); ++i) {
      EXPECT_EQ(forecast[i].freed_states, removed[i].freed_states);
      EXPECT_EQ(forecast[i].freed_bytes, removed[i].freed_bytes);
      states += removed[i].freed_states.size();
      objects += removed[i].freed_objects;
      bytes += removed[i].freed_bytes;
    }
    const storage::GarbageReport report = storage::CollectGarbage(library_.repository(), gc);
    EXPECT_EQ(states, report.states.size() + report.thinned.size()) << names[0];
    EXPECT_EQ(objects, report.objects) << names[0];
    EXPECT_EQ(bytes, report.object_bytes) << names[0];
    freed += bytes;
  }
  EXPECT_GT(freed, 2'000'000u);  // checkpoints among them
}

TEST_F(Organising, RemovingCountsNoGarbageOfBefore) {
  IngestText("b", "Another.");
  Remove(library_, {Reference::Parse("b")}, false);
  const auto removed = Remove(library_, {Reference::Parse("a")}, true);
  EXPECT_EQ(removed[0].freed_states.size(), 2u);
}

TEST_F(Organising, RemovingSeveralIsAllOrNone) {
  ExpectError(ErrorKind::kNotFound, "missing", [&] {
    Remove(library_, {Reference::Parse("a"), Reference::Parse("missing")}, false);
  });
  EXPECT_EQ(List(library_, {}).size(), 1u);
}

TEST_F(Organising, ShowTellsEverythingAboutAState) {
  const StateDetails details = Show(library_, "a");
  EXPECT_EQ(details.model_name, "demo");
  EXPECT_EQ(details.model, model_.identity);
  EXPECT_THAT(details.names, ElementsAre("a:latest@2"));
  EXPECT_EQ(details.lineage.size(), 2u);
  EXPECT_EQ(details.segments.size(), model_.runtime->SpecFor(0).size());
  EXPECT_EQ(details.segments[0].codec, "exact");
  EXPECT_EQ(details.token_chunks, 1u);
  EXPECT_TRUE(std::filesystem::exists(details.object_path));
  uint64_t raw_bytes = 0;
  for (const SegmentDetails& segment : details.segments) raw_bytes += segment.raw_bytes;
  EXPECT_EQ(raw_bytes, details.resolved.state.raw_bytes);
}

TEST_F(Organising, AStateMovesToAnotherLibraryAndGoesOnThere) {
  const auto file = folder_.path() / "a.slb";
  Export(library_, {{"a"}}, file, {});
  Library other = OpenLibrary("elsewhere");
  KeyRing keys(folder_.path() / "config");
  storage::BundleFile bundle = storage::BundleFile::Open(file);
  const storage::ImportReport report =
      Import(other, bundle, "a.slb", keys, {.allow_unsigned = true}, {}).import;
  ASSERT_EQ(report.references.size(), 1u);
  EXPECT_EQ(report.references[0].model_name, "demo");
  const LoadedModel model = LoadModel(other, {DemoModel(), ""}, {});
  EXPECT_EQ(model.place.name, "demo");
  const LoadedState here = LoadState(library_, model_, library_.Resolve("a"));
  const LoadedState there = LoadState(other, model, other.Resolve("a"));
  EXPECT_EQ(model_.runtime->Snapshot(here.state), model.runtime->Snapshot(there.state));
  EXPECT_EQ(Show(other, "a").lineage.size(), 3u);  // import, append, ingest
}

}  // namespace
}  // namespace statelib::library
