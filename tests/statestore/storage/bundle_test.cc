// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "statestore/storage/byte_planes.h"
#include "statestore/storage/message_codec.h"
#include "statestore/storage/publish.h"
#include "statestore/storage/state_object.h"
#include "statestore/storage/zstd_frame.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/storage/bundles.h"

namespace statelib::storage {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(Bundles, CarryStatesTheirTokensTheirLineageAndTheirModel) {
  const StateId a = PublishSample(from_, "a", 5000, 1).state.id;
  PublishSample(from_, "b:old", 5001, 1);
  const ExportReport exported = Export({"a", "b:old"});
  EXPECT_EQ(exported.states, 2u);
  EXPECT_EQ(exported.objects, 5u);  // two states, two histories that share their first chunk
  EXPECT_EQ(exported.file_bytes, std::filesystem::file_size(file_));

  const ImportReport report = Import(into_);
  EXPECT_EQ(report.objects_added, 5u);
  EXPECT_EQ(report.objects_present, 0u);
  ASSERT_EQ(report.references.size(), 2u);
  EXPECT_EQ(report.references[0].reference.Text(), "a@1");
  EXPECT_EQ(report.references[1].reference.Text(), "b:old@1");
  EXPECT_EQ(report.references[0].model_name, "sample");
  ExpectClean(into_);
  const ResolvedState state = into_.Resolve("a");
  EXPECT_EQ(state.state.id, a);
  EXPECT_EQ(into_.index().models().Find(SampleModel().fingerprint)->name, "sample");
  const auto line = into_.index().lineage().AncestorsOf(*state.derivation, 9);
  ASSERT_EQ(line.size(), 2u);
  EXPECT_EQ(line[0].operation, Operation::kImport);
  EXPECT_EQ(line[0].sources[0].name, "bundle.slb");
  EXPECT_EQ(line[1].operation, Operation::kIngest);
  EXPECT_EQ(line[1].sources[0].name, "a.txt");
}

TEST_F(Bundles, CarryHowAQuestionIsPutToTheirModel) {
  PublishSample(from_, "a", 5, 1);
  Export({"a"});
  EXPECT_EQ(VersionOf(Read()), kNumberedBundleVersion) << "as older readers take it";
  ModelRow row = from_.index().models().Get(SampleModel().fingerprint);
  row.card = {"{question}", "\n", "Nothing."};
  row.prompt = {"\nQ: {question}\nA:", "", {}};
  from_.index().models().Put(row);
  Export({"a"});
  EXPECT_EQ(VersionOf(Read()), kPromptBundleVersion);
  const PromptForm carried{"\nQ: {question}\nA:", "", "Nothing."};
  EXPECT_EQ(BundleFile::Open(file_).manifest().models[0].prompt, carried);
  Import(into_);
  ModelRow here = into_.index().models().Get(SampleModel().fingerprint);
  EXPECT_EQ(here.card, carried);
  EXPECT_TRUE(here.prompt.empty()) << "nobody has set it here";
  ExpectClean(into_);
  // What is known here stays.
  here.card = {"{question}!", {}, {}};
  into_.index().models().Put(here);
  Import(into_);
  EXPECT_EQ(into_.index().models().Get(SampleModel().fingerprint).card, here.card);
}

TEST_F(Bundles, EqualExportsAreEqualBytes) {
  PublishSample(from_, "a", 5, 1);
  PublishSample(from_, "b", 6, 2);
  Export({"a", "b"});
  const Bytes first = Read();
  Export({"b", "a", "a"});
  EXPECT_EQ(Read().size(), first.size());
  Export({"a", "b"});
  EXPECT_EQ(Read(), first);
}

TEST_F(Bundles, ImportingTwiceChangesNothing) {
  PublishSample(from_, "a", 5, 1);
  Export({"a"});
  Import(into_);
  const ImportReport again = Import(into_);
  EXPECT_EQ(again.objects_added, 0u);
  EXPECT_EQ(again.objects_present, 2u);
  EXPECT_TRUE(again.references[0].stored_before);
  EXPECT_TRUE(again.references[0].version_before);
  EXPECT_EQ(into_.index().references().Versions("a", "latest").size(), 1u);
}

TEST_F(Bundles, ANameThatExistsGetsOneMoreVersion) {
  PublishSample(from_, "a", 5, 1);
  PublishSample(into_, "a", 6, 2);
  Export({"a"});
  const ImportReport plan = Import(into_, {.dry_run = true});
  EXPECT_EQ(plan.references[0].reference.version, 2u);
  EXPECT_EQ(into_.Resolve("a").reference->version, 1u);
  EXPECT_EQ(Import(into_).references[0].reference.version, 2u);
  EXPECT_EQ(into_.Resolve("a@1").state.history.token_count(), 6u);
}

TEST_F(Bundles, ADryRunSaysTheSameAndAddsNothing) {
  PublishSample(from_, "a", 5, 1);
  Export({"a"});
  const ImportReport plan = Import(into_, {.dry_run = true});
  EXPECT_EQ(plan.objects_added, 2u);
  EXPECT_TRUE(IsEmptyLibrary(into_));
  EXPECT_EQ(Import(into_).bytes_added, plan.bytes_added);
}

TEST_F(Bundles, AStateWithoutANameIsNotExported) {
  const StateId id = PublishSample(from_, "a", 5, 1).state.id;
  ExpectError(ErrorKind::kInvalidArgument, "give it one with `statelib tag`",
              [&] { Export({id.Hex()}); });
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(Bundles, AStreamIsTakenLikeAFileHoweverItIsCut) {
  PublishSample(from_, "a", 5000, 1);
  Export({"a"});
  const Bytes whole = Read();
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{4096}, whole.size()}) {
    BundleSpool spool("standard input");
    for (ByteSpan rest = whole; !rest.empty(); rest = rest.subspan(std::min(piece, rest.size())))
      spool.Append(rest.first(std::min(piece, rest.size())));
    BundleFile bundle = std::move(spool).Finish();
    ImportBundle(into_, bundle, "standard input", {}, 9000);
  }
  EXPECT_EQ(into_.Resolve("a").state.id, from_.Resolve("a").state.id);
  ExpectClean(into_);
}

/// The same state as another version of zstd might have stored it: one frame in other blocks.
EncodedObject CompressedOtherwise(const Bytes& file) {
  const StateReader reader(file, "it");
  StateHeader header = reader.header();
  const StateRecord record = DecodeState(file, "it");
  Bytes planes(record.segments[0].size());
  SplitIntoPlanes(record.segments[0], 4, planes);
  const Bytes frame = ZstdCompressor().Compress(planes, 8);
  const size_t old_frame = header.segments[0].stored_bytes;
  const size_t old_head = HeadBytes(LoadLittle<uint32_t>(file.data() + 12));
  header.segments[0].stored_bytes = frame.size();
  header.segments[0].frame_digest = HashOf(frame);
  EncodedObject object;
  object.bytes = MakeHead(kObjectFile, kExactObjectVersion, AsBytes(SerializeHeader(header)));
  object.bytes.insert(object.bytes.end(), frame.begin(), frame.end());
  object.bytes.insert(object.bytes.end(),
                      file.begin() + static_cast<std::ptrdiff_t>(old_head + old_frame), file.end());
  object.id = HashOf(object.bytes);
  return object;
}

TEST_F(Bundles, AnEqualStateOfAnotherCompressorIsRecognised) {
  const StateId mine = PublishSample(into_, "mine", 5, 1).state.id;
  const StateId plain = PublishSample(from_, "a", 5, 1).state.id;
  ASSERT_EQ(mine, plain);
  const EncodedObject other = CompressedOtherwise(from_.objects().Get(plain));
  ASSERT_NE(other.id, plain);
  from_.objects().Put(other);
  StateRow row = *from_.index().states().Find(plain);
  row.id = other.id;
  row.stored_bytes = other.bytes.size();
  from_.index().Write([&] {
    from_.index().states().Add(row, from_.index().states().ChunksOf(plain));
    NameState(from_.index(), row, {}, Reference::Parse("b"), 2);
  });
  ExpectClean(from_);
  Export({"b"});

  const ImportReport report = Import(into_);
  EXPECT_EQ(report.objects_added, 0u);
  EXPECT_TRUE(report.references[0].stored_before);
  EXPECT_EQ(into_.Resolve("b").state.id, mine);
  EXPECT_EQ(into_.index().states().count(), 1u);
  const auto line = into_.index().lineage().AncestorsOf(*into_.Resolve("b").derivation, 9);
  EXPECT_EQ(line.back().state, mine);
  ExpectClean(into_);
}

TEST_F(Bundles, CarrySeveralVersionsOfAName) {
  PublishSample(from_, "a", 5, 1);
  PublishSample(from_, "a", 6, 2);
  PublishSample(from_, "a", 7, 3);
  Export({"a@3", "a@1", "a@2"});
  EXPECT_EQ(Import(into_, {.dry_run = true}).references[2].reference.Text(), "a@3");
  const ImportReport report = Import(into_);
  ASSERT_EQ(report.references.size(), 3u);
  for (uint64_t number = 1; number <= 3; ++number) {
    EXPECT_EQ(into_.Resolve(fmt::format("a@{}", number)).state.history.token_count(), 4 + number);
  }
  EXPECT_EQ(into_.Resolve("a").reference->version, 3u);
  ExpectClean(into_);
}

TEST_F(Bundles, OfMoreVersionsAddOnlyThoseThatAreNew) {
  PublishSample(from_, "a", 5, 1);
  PublishSample(from_, "a", 6, 2);
  Export({"a@1", "a@2"});
  Import(into_);
  PublishSample(from_, "a", 7, 3);
  Export({"a@1", "a@2", "a@3"});
  const ImportReport report = Import(into_);
  EXPECT_TRUE(report.references[0].version_before);
  EXPECT_TRUE(report.references[1].version_before);
  EXPECT_EQ(report.references[2].reference.Text(), "a@3");
  EXPECT_EQ(into_.index().references().Versions("a", "latest").size(), 3u);
}

TEST_F(Bundles, OnlyWhatIsNewLeavesANameThatHasMovedOn) {
  PublishSample(from_, "a", 5, 1);
  Export({"a"});
  Import(into_);
  PublishSample(into_, "a", 6, 2);
  EXPECT_TRUE(Import(into_, {.naming = ImportNaming::kOnlyWhatIsNew}).references[0].version_before);
  EXPECT_EQ(into_.Resolve("a").state.history.token_count(), 6u);
  Import(into_);
  EXPECT_EQ(into_.Resolve("a").state.history.token_count(), 5u);
}

TEST_F(Bundles, WithoutTokensCarryTheStateItsLengthAndItsHashes) {
  const StateRow state = PublishSample(from_, "a", 5000, 1).state;
  const ExportReport exported = ExportWith({"a"}, {.tokens = false});
  EXPECT_EQ(exported.objects, 1u);
  Import(into_);
  ExpectClean(into_);
  const StateRow bare = into_.Resolve("a").state;
  EXPECT_NE(bare.id, state.id);
  EXPECT_FALSE(bare.tokens_kept);
  EXPECT_EQ(bare.history, state.history);
  EXPECT_EQ(bare.content, state.content);
  EXPECT_THAT(into_.index().states().ChunksOf(bare.id), IsEmpty());
  // The same every time, and what ingest without tokens would have stored.
  ExportWith({"a"}, {.tokens = false});
  EXPECT_EQ(Import(into_).objects_added, 0u);
}

TEST_F(Bundles, LeaveOutLineageAndSourcesWhereAsked) {
  const StateId parent = PublishSample(from_, "a", 5, 1).state.id;
  const int64_t parent_key = *from_.Resolve("a").derivation;
  from_.index().Write([&] {
    Derivation derivation;
    derivation.operation = Operation::kAppend;
    derivation.parent = parent_key;
    derivation.parent_state = parent;
    derivation.sources = {{"secret-plan.txt", 3, HashOf(AsBytes("x")), 1, 5}};
    NameState(from_.index(), *from_.index().states().Find(parent), derivation,
              Reference::Parse("b"), 2);
  });
  ExportWith({"b"}, {});
  EXPECT_EQ(BundleFile::Open(file_).manifest().derivations.size(), 2u);
  ExportWith({"b"}, {.lineage = false});
  const BundleFile alone = BundleFile::Open(file_);
  ASSERT_EQ(alone.manifest().derivations.size(), 1u);
  EXPECT_FALSE(alone.manifest().derivations[0].parent_state);
  EXPECT_EQ(alone.manifest().derivations[0].sources.size(), 1u);
  ExportWith({"b"}, {.sources = false});
  EXPECT_THAT(std::string(AsText(Read())), testing::Not(HasSubstr("secret-plan")));
  Import(into_);
  ExpectClean(into_);
}

TEST_F(Bundles, CarryAGenuineSignature) {
  PublishSample(from_, "a", 5, 1);
  Export({"a"});
  EXPECT_FALSE(BundleFile::Open(file_).signer());
  const SigningKey key = SigningKey::Create();
  ExportWith({"a"}, {}, &key);
  EXPECT_EQ(BundleFile::Open(file_).signer(), key.public_key());
  Import(into_);
  ExpectClean(into_);
}

TEST_F(Bundles, OfFormatOneAreStillRead) {
  PublishSample(from_, "a", 5, 1);
  Export({"a"});
  const Bytes now = Read();
  BundleManifest manifest = BundleFile::Open(file_).manifest();
  manifest.references[0].version = 0;
  FileKind one = kBundleFile;
  one.version = 1;
  const Bytes head = MakeHead(one, AsBytes(SerializeManifest(manifest)));
  Write(Assemble(head, ByteSpan(now.begin() + ObjectsAt(now), now.end() - 32)));
  EXPECT_FALSE(BundleFile::Open(file_).signer());
  EXPECT_EQ(Import(into_).references[0].reference.Text(), "a@1");
  ExpectClean(into_);
  manifest.references[0].version = 1;  // which that format did not have
  const Bytes wrong = MakeHead(one, AsBytes(SerializeManifest(manifest)));
  Write(Assemble(wrong, ByteSpan(now.begin() + ObjectsAt(now), now.end() - 32)));
  ExpectError(ErrorKind::kCorrupt, "a version in format 1", [&] { Import(into_); });
}

}  // namespace
}  // namespace statelib::storage
