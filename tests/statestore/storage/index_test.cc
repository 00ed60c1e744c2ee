// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "statestore/storage/index_schema.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/storage/index_rows.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class IndexTest : public testing::Test {
 protected:
  IndexTest() { index_.models().Learn(SampleModel(), "sample", 1); }

  int64_t Add(unsigned seed, const std::vector<TokenChunk>& chunks = {}) {
    const StateRow row = RowFor(seed);
    index_.states().Add(row, chunks);
    Derivation derivation;
    derivation.state = row.id;
    derivation.token_count = row.history.token_count();
    return index_.lineage().Add(derivation);
  }
  uint64_t Move(const std::string& name, const std::string& tag, unsigned seed) {
    const int64_t derivation = Add(seed);
    return index_.references().Move(name, tag, RowFor(seed).id, derivation, 100 + seed);
  }
  std::vector<std::string> Names(const ReferenceQuery& query) {
    std::vector<std::string> names;
    for (const ReferenceRow& row : index_.references().List(query))
      names.push_back(row.name + ":" + row.tag);
    return names;
  }

  TemporaryDirectory folder_;
  std::filesystem::path path_ = folder_.path() / "index.db";
  Index index_ = Index::Open(path_, Database::Mode::kWrite);
};

TEST_F(IndexTest, AStateComesBackAsItWasAdded) {
  const std::vector<TokenChunk> chunks = {{HashOf(AsBytes("x")), 4096}, {HashOf(ByteSpan()), 7}};
  Add(1, chunks);
  const auto row = index_.states().Find(RowFor(1).id);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->history, RowFor(1).history);
  EXPECT_EQ(row->content, RowFor(1).content);
  EXPECT_EQ(row->model, SampleModel().fingerprint);
  EXPECT_EQ(row->stored_bytes, 1001u);
  EXPECT_EQ(row->created_at_ms, 50);
  EXPECT_EQ(index_.states().ChunksOf(row->id), chunks);
  EXPECT_TRUE(index_.states().Needs(row->id));
  EXPECT_TRUE(index_.states().Needs(chunks[0].id));
  EXPECT_FALSE(index_.states().Needs(HashOf(AsBytes("other"))));
  EXPECT_EQ(index_.states().FindEqual(RowFor(1))->id, row->id);
  EXPECT_FALSE(index_.states().FindEqual(RowFor(2)));
}

TEST_F(IndexTest, MovingAReferenceKeepsEveryVersion) {
  EXPECT_EQ(Move("a", "latest", 1), 1u);
  EXPECT_EQ(Move("a", "latest", 2), 2u);
  EXPECT_EQ(Move("a", "draft", 3), 1u);
  EXPECT_EQ(index_.references().Find("a", "latest")->state.id, RowFor(2).id);
  EXPECT_EQ(index_.references().FindVersion("a", "latest", 1)->state, RowFor(1).id);
  EXPECT_FALSE(index_.references().FindVersion("a", "latest", 1)->current);
  EXPECT_TRUE(index_.references().FindVersion("a", "latest", {})->current);
  EXPECT_EQ(index_.references().Versions("a", "latest").size(), 2u);
  EXPECT_THAT(index_.references().NamesOf(RowFor(1).id), ElementsAre("a:latest@1"));
}

TEST_F(IndexTest, ListsByPatternTagOrderAndPage) {
  Move("notes/b", "latest", 3);
  Move("notes/a", "latest", 1);
  Move("notes/a", "draft", 2);
  Move("other", "latest", 4);
  EXPECT_THAT(Names({}),
              ElementsAre("notes/a:draft", "notes/a:latest", "notes/b:latest", "other:latest"));
  EXPECT_THAT(Names({.name_pattern = "notes/*", .tag = "latest"}),
              ElementsAre("notes/a:latest", "notes/b:latest"));
  EXPECT_THAT(Names({.name_pattern = "*s/[ab]", .tag = "draft"}), ElementsAre("notes/a:draft"));
  EXPECT_THAT(Names({.name_pattern = "notes"}), IsEmpty());
  using Sort = ReferenceQuery::Sort;
  EXPECT_THAT(Names({.sort = Sort::kTime, .descending = true, .limit = 2}),
              ElementsAre("other:latest", "notes/b:latest"));
  EXPECT_THAT(Names({.sort = Sort::kSize, .limit = 1, .offset = 1}), ElementsAre("notes/a:draft"));
}

TEST_F(IndexTest, PatternsFindNamesOfEveryScript) {
  Move("note", "latest", 1);
  Move("n\u00f6te", "latest", 2);
  Move("\u65e5\u672c", "latest", 3);
  Move("n\U00020000", "latest", 4);
  EXPECT_THAT(Names({.name_pattern = "n*"}),
              ElementsAre("note:latest", "n\u00f6te:latest", "n\U00020000:latest"));
  EXPECT_THAT(Names({.name_pattern = "\u65e5?"}), ElementsAre("\u65e5\u672c:latest"));
}

TEST_F(IndexTest, RenamingAndRemovingTakeTheVersionsAlong) {
  Move("a", "latest", 1);
  Move("a", "latest", 2);
  Move("b", "latest", 3);
  index_.references().Rename("a", "latest", "c", "old", 1);
  EXPECT_FALSE(index_.references().Find("a", "latest"));
  EXPECT_EQ(index_.references().Versions("c", "old").size(), 2u);
  ExpectError(ErrorKind::kInvalidArgument, "b:latest exists already",
              [&] { index_.references().Rename("c", "old", "b", "latest", 1); });
  index_.references().Remove("c", "old", 1);
  EXPECT_THAT(index_.references().Versions("c", "old"), IsEmpty());
  ExpectError(ErrorKind::kNotFound, "c:old", [&] { index_.references().Remove("c", "old", 1); });
}

TEST_F(IndexTest, ListNarrowsByEveryCondition) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    StateRow row = RowFor(seed, 10 * seed);
    row.stored_bytes = 100 * seed;
    index_.states().Add(row, {});
    Derivation derivation;
    derivation.state = row.id;
    if (seed == 2) derivation.parent = 1;
    derivation.sources = {{"doc" + std::to_string(seed) + ".md", 4, row.id, 2, 77}};
    const int64_t key = index_.lineage().Add(derivation);
    index_.references().Move("n" + std::to_string(seed), "latest", row.id, key, 1000 * seed);
  }
  ReferenceQuery query;
  query.model = SampleModel().fingerprint;
  EXPECT_EQ(Names(query).size(), 4u);
  query.model = HashOf(ByteSpan());
  EXPECT_THAT(Names(query), IsEmpty());
  query = {};
  query.source_pattern = "doc1.*";  // the second goes on from the first
  EXPECT_THAT(Names(query), ElementsAre("n1:latest", "n2:latest"));
  query = {};
  query.moved_at_ms = {2000, 3000};
  EXPECT_THAT(Names(query), ElementsAre("n2:latest", "n3:latest"));
  query.stored_bytes.lowest = 300;
  EXPECT_THAT(Names(query), ElementsAre("n3:latest"));
  query = {};
  query.token_count.highest = 20;
  query.after = {"n1", "latest"};
  EXPECT_THAT(Names(query), ElementsAre("n2:latest"));
  query = {};
  query.after = {"n3", "latest"};
  query.descending = true;
  query.limit = 1;
  EXPECT_THAT(Names(query), ElementsAre("n2:latest"));
}

TEST_F(IndexTest, ForgottenVersionsLeaveTheOthersTheirNumbersAndMoves) {
  for (unsigned seed = 1; seed <= 4; ++seed) Move("a", "latest", seed);
  IndexReferences& references = index_.references();
  references.Return("a", "latest", 2, false, 200);
  references.Return("a", "latest", 4, true, 201);
  references.Forget("a", "latest", {3, 1, 3}, 300);
  std::vector<uint64_t> numbers;
  for (const VersionRow& version : references.Versions("a", "latest"))
    numbers.push_back(version.number);
  EXPECT_THAT(numbers, ElementsAre(2, 4));
  EXPECT_EQ(references.VersionBefore("a", "latest"), 2u);
  EXPECT_EQ(references.VersionAt("a", "latest", 101), std::nullopt);
  EXPECT_EQ(references.VersionAt("a", "latest", 103), 2u);
  EXPECT_EQ(references.VersionAt("a", "latest", 200), 4u);
  EXPECT_EQ(Move("a", "latest", 5), 5u);
  EXPECT_THAT(index_.FindDamage(), IsEmpty());
}

TEST_F(IndexTest, ForgettingTakesNeitherTheCurrentVersionNorOneThatIsNotThere) {
  Move("a", "latest", 1);
  Move("a", "latest", 2);
  IndexReferences& references = index_.references();
  ExpectError(ErrorKind::kInvalidArgument, "stands for its version 2", [&] {
    references.Forget("a", "latest", {1, 2}, 300);
  });
  ExpectError(ErrorKind::kNotFound, "no version 9", [&] {
    references.Forget("a", "latest", {1, 9}, 300);
  });
  EXPECT_EQ(references.Versions("a", "latest").size(), 2u);
}

TEST_F(IndexTest, APatternFindsTagsToo) {
  Move("a", "draft", 1);
  Move("a", "done", 2);
  Move("b", "latest", 3);
  EXPECT_THAT(Names({.tag = "d*"}), ElementsAre("a:done", "a:draft"));
  EXPECT_THAT(Names({.name_pattern = "*", .tag = "*"}),
              ElementsAre("a:done", "a:draft", "b:latest"));
  EXPECT_THAT(Names({.tag = "d"}), IsEmpty());
}

TEST_F(IndexTest, MovesSayWhatANameStoodForAndWhatUndoingGoesBackTo) {
  IndexReferences& references = index_.references();
  EXPECT_EQ(references.VersionBefore("a", "latest"), std::nullopt);
  for (unsigned seed = 1; seed <= 3; ++seed) Move("a", "latest", seed);  // at 101, 102, 103
  EXPECT_EQ(references.VersionAt("a", "latest", 100), std::nullopt);
  EXPECT_EQ(references.VersionAt("a", "latest", 102), 2u);
  EXPECT_EQ(references.VersionBefore("a", "latest"), 2u);
  references.Return("a", "latest", 2, true, 200);
  EXPECT_EQ(references.Find("a", "latest")->version, 2u);
  EXPECT_EQ(references.VersionBefore("a", "latest"), 1u);
  references.Return("a", "latest", 1, true, 201);
  EXPECT_EQ(references.VersionBefore("a", "latest"), std::nullopt);
  references.Return("a", "latest", 3, false, 202);
  EXPECT_EQ(references.VersionBefore("a", "latest"), 1u);
  EXPECT_EQ(references.VersionAt("a", "latest", 201), 1u);
  EXPECT_EQ(references.VersionAt("a", "latest", 999), 3u);
  EXPECT_EQ(Move("a", "latest", 4), 4u);
  ExpectError(ErrorKind::kNotFound, "no version 9",
              [&] { references.Return("a", "latest", 9, false, 1); });
}

TEST_F(IndexTest, LineageOutlivesTheStatesItSpeaksOf) {
  const int64_t first = Add(1);
  Derivation second;
  second.state = RowFor(2).id;
  second.parent_state = RowFor(1).id;
  second.parent = first;
  second.operation = Operation::kAppend;
  second.token_count = RowFor(2).history.token_count();
  second.sources = {{"b.txt", 4, HashOf(AsBytes("b")), 2, 77}};
  index_.states().Add(RowFor(2), {});
  const int64_t key = index_.lineage().Add(second);
  index_.references().Move("a", "latest", RowFor(2).id, key, 1);
  const int64_t orphan = Add(3);

  for (const StateRow& row : index_.states().Unreachable(0, INT64_MAX))
    index_.states().Remove(row.id);
  EXPECT_EQ(index_.lineage().RemoveUnreachable(), 1);
  EXPECT_FALSE(index_.states().Find(RowFor(1).id));
  EXPECT_FALSE(index_.lineage().Exists(orphan));
  const auto line = index_.lineage().AncestorsOf(key, 10);
  ASSERT_EQ(line.size(), 2u);
  EXPECT_EQ(line[0], second);
  EXPECT_EQ(line[1].state, RowFor(1).id);
  EXPECT_THAT(index_.FindDamage(), IsEmpty());
}

TEST_F(IndexTest, StatesAreFoundByTheirFirstDigits) {
  Add(1);
  Add(2);
  const std::string hex = RowFor(1).id.Hex();
  ASSERT_EQ(index_.states().FindByPrefix(hex.substr(0, 7), 5).size(), 1u);
  EXPECT_EQ(index_.states().FindByPrefix(hex, 5)[0].id, RowFor(1).id);
  EXPECT_EQ(index_.states().FindByPrefix("", 5).size(), 2u);
  EXPECT_THAT(index_.states().FindByPrefix("xyz", 5), IsEmpty());
}

TEST_F(IndexTest, ModelsAreKeptWhileStatesNeedThem) {
  ModelRow other;
  other.identity = SampleModel("other");
  other.name = "sample";
  ExpectError(ErrorKind::kInvalidArgument, "the name sample belongs to another model",
              [&] { index_.models().Put(other); });
  other.name = "other";
  other.path = "/models/other";
  index_.models().Put(other);
  index_.models().SetDefault(other.identity.fingerprint);
  EXPECT_EQ(index_.models().Default(), other.identity.fingerprint);
  EXPECT_EQ(index_.models().FindByName("other")->path, "/models/other");
  EXPECT_EQ(index_.models().All().size(), 2u);
  EXPECT_TRUE(index_.models().Remove(other.identity.fingerprint));
  EXPECT_FALSE(index_.models().Default());
  Add(1);
  EXPECT_FALSE(index_.models().Remove(SampleModel().fingerprint));
  EXPECT_TRUE(index_.models().Find(SampleModel().fingerprint));
}

TEST_F(IndexTest, AnOpenedModelIsRememberedForOneStampOnly) {
  const Digest stamp = HashOf(AsBytes("stamp"));
  index_.models().Remember("/m", stamp, {SampleModel().fingerprint, true});
  EXPECT_EQ(index_.models().RememberedAt("/m", stamp)->fingerprint, SampleModel().fingerprint);
  EXPECT_TRUE(index_.models().RememberedAt("/m", stamp)->has_blocks);
  EXPECT_FALSE(index_.models().RememberedAt("/m", HashOf(AsBytes("later"))));
  EXPECT_FALSE(index_.models().RememberedAt("/n", stamp));
  EXPECT_TRUE(index_.models().Remembered(SampleModel().fingerprint)->has_blocks);
  EXPECT_FALSE(index_.models().Remembered(stamp));
}

TEST_F(IndexTest, AWriteThatThrowsChangesNothing) {
  EXPECT_THROW(index_.Write([&] {
    Move("a", "latest", 1);
    throw Error(ErrorKind::kIo, "no");
  }),
               Error);
  EXPECT_THAT(Names({}), IsEmpty());
  EXPECT_EQ(index_.states().count(), 0u);
  EXPECT_EQ(Move("a", "latest", 1), 1u);
}

TEST_F(IndexTest, AReaderSeesOneMomentWhileOthersWrite) {
  Move("a", "latest", 1);
  Index other = Index::Open(path_, Database::Mode::kWrite);
  index_.Read([&] {
    EXPECT_EQ(index_.references().Find("a", "latest")->version, 1u);
    other.states().Add(RowFor(2), {});
    Derivation derivation;
    derivation.state = RowFor(2).id;
    other.references().Move("a", "latest", RowFor(2).id, other.lineage().Add(derivation), 5);
    EXPECT_EQ(index_.references().Find("a", "latest")->version, 1u);
  });
  EXPECT_EQ(index_.references().Find("a", "latest")->version, 2u);
}

TEST_F(IndexTest, TheQueriesOfALargeLibraryUseIndexes) {
  const Database database = Database::Open(path_, Database::Mode::kRead);
  const auto plan = [&](const std::string& sql) {
    Statement statement = database.Prepare("EXPLAIN QUERY PLAN " + sql);
    std::string text;
    while (statement.Step()) text += statement.Text(3) + "\n";
    return text;
  };
  using testing::HasSubstr;
  using testing::Not;
  EXPECT_THAT(plan("SELECT * FROM refs WHERE name >= 'a' AND name <= 'b' AND name GLOB 'a*' "
                   "ORDER BY name, tag LIMIT 5"),
              testing::AllOf(HasSubstr("SEARCH"), Not(HasSubstr("TEMP B-TREE"))));
  EXPECT_THAT(plan("SELECT * FROM refs WHERE tag = 'x' ORDER BY name, tag LIMIT 5"),
              testing::AllOf(HasSubstr("SEARCH"), Not(HasSubstr("TEMP B-TREE"))));
  EXPECT_THAT(
      plan("SELECT * FROM states WHERE history_chain = x'' AND model = x'' AND profile = ''"),
      HasSubstr("states_by_history"));
  EXPECT_THAT(plan("SELECT 1 FROM state_chunks WHERE chunk = x''"),
              HasSubstr("state_chunks_by_chunk"));
}

TEST(Index, OnAFullDiskAWriteIsUndoneAndSaysSo) {
  TemporaryDirectory folder;
  Database database = Database::Open(folder.path() / "index.db", Database::Mode::kWrite);
  Migrate(database);
  database.Execute("PRAGMA max_page_count = 40");
  PendingChanges pending;
  IndexModels models(database, pending);
  ExpectError(ErrorKind::kIo, "the disk is full; free some space", [&] {
    database.Write([&] {
      for (int i = 0;; ++i) models.Learn(SampleModel(std::to_string(i)), "", 1);
    });
  });
  EXPECT_THAT(models.All(), IsEmpty());
}

}  // namespace
}  // namespace statelib::storage
