// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "statestore/storage/byte_planes.h"
#include "statestore/storage/file_head.h"
#include "statestore/storage/message_codec.h"
#include "statestore/storage/publish.h"
#include "statestore/storage/state_object.h"
#include "statestore/storage/zstd_frame.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/faulty_file_system.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {
namespace {

using Access = Repository::Access;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Bundles : public testing::Test {
 protected:
  ExportReport Export(const std::vector<std::string>& names, FileSystem& files = FileSystem::Real(),
                      const ExportOptions& options = {}) {
    std::vector<ResolvedState> states;
    for (const std::string& name : names) states.push_back(from_.Resolve(name));
    return ExportBundle(from_, states, files, file_, options);
  }
  ExportReport ExportWith(const std::vector<std::string>& names, const ManifestOptions& manifest,
                          const SigningKey* key = nullptr) {
    return Export(names, FileSystem::Real(), {manifest, key, {}});
  }
  ImportReport Import(Repository& into, const ImportOptions& options = {}) {
    BundleFile bundle = BundleFile::Open(file_);
    return ImportBundle(into, bundle, "bundle.slb", options, 9000);
  }
  Bytes Read() { return FileSystem::Real().ReadFile(file_, 1 << 24); }
  void Write(ByteSpan bytes) {
    std::ofstream(file_, std::ios::binary | std::ios::trunc) << AsText(bytes);
  }
  /// Where the objects of an unsigned bundle begin.
  static std::ptrdiff_t ObjectsAt(const Bytes& bundle) {
    return static_cast<std::ptrdiff_t>(HeadBytes(LoadLittle<uint32_t>(bundle.data() + 12)) + 4);
  }
  /// A bundle of a manifest and the bytes of its objects, every hash in order.
  static Bytes Assemble(Bytes manifest, ByteSpan objects) {
    manifest.insert(manifest.end(), objects.begin(), objects.end());
    const Digest digest = HashOf(manifest);
    manifest.insert(manifest.end(), digest.bytes.begin(), digest.bytes.end());
    return manifest;
  }
  /// The bundle's bytes with another manifest.
  Bytes WithManifest(const BundleManifest& manifest) {
    const Bytes old = Read();
    return Assemble(EncodeManifest(manifest, nullptr),
                    ByteSpan(old.begin() + ObjectsAt(old), old.end() - 32));
  }
  bool IsEmptyLibrary(const Repository& repository) {
    size_t objects = 0;
    repository.objects().ForEach([&](const ObjectId&, uint64_t) { ++objects; });
    return objects == 0 && repository.index().states().count() == 0 &&
           repository.index().references().List({}).empty() &&
           repository.index().models().All().empty();
  }

  TemporaryDirectory folder_;
  std::filesystem::path file_ = folder_.path() / "states.slb";
  Repository from_ = Repository::Open(folder_.path() / "from", Access::kCreate);
  Repository into_ = Repository::Open(folder_.path() / "into", Access::kCreate);
};

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

TEST_F(Bundles, APromptFormThatIsNoneIsRefused) {
  PublishSample(from_, "a", 5, 1);
  Export({"a"});
  const Bytes now = Read();
  BundleManifest manifest = BundleFile::Open(file_).manifest();
  const auto refuse = [&](const PromptForm& form, uint32_t version, const std::string& said) {
    manifest.models[0].prompt = form;
    Bytes head = MakeHead(kBundleFile, version, AsBytes(SerializeManifest(manifest)));
    head.insert(head.end(), 4, std::byte{0});  // no signature
    Write(Assemble(head, ByteSpan(now.begin() + ObjectsAt(now), now.end() - 32)));
    ExpectError(ErrorKind::kCorrupt, said, [&] { Import(into_); });
    EXPECT_TRUE(IsEmptyLibrary(into_));
  };
  refuse({"Who?", {}, {}}, kPromptBundleVersion, "expected {question} once");
  refuse({"{question}\x1b", {}, {}}, kPromptBundleVersion, "expected text in UTF-8");
  refuse({{}, std::string(100000, 'x'), {}}, kPromptBundleVersion, "prompt.stop: 100000 bytes");
  refuse({{}, "x", {}}, kNumberedBundleVersion, "prompt forms in format 2");
  refuse({}, kPromptBundleVersion, "prompt forms in format 3, or none");
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

TEST_F(Bundles, AnExportThatFailsLeavesTheOldFileAndNothingElse) {
  PublishSample(from_, "a", 5, 1);
  Write(AsBytes("old"));
  for (int n = 1;; ++n) {
    FaultyFileSystem files(n);
    try {
      Export({"a"}, files);
      EXPECT_GT(n, 6);
      break;
    } catch (const Error&) {
      const bool renamed = AsText(Read()) != "old";
      EXPECT_TRUE(!renamed || BundleFile::Open(file_).manifest().objects.size() == 2u);
      EXPECT_EQ(FileSystem::Real().List(folder_.path()).size(), 3u) << n;  // from, into, the file
    }
  }
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

TEST_F(Bundles, AStreamThatIsNoBundleOrLongerOrShorterIsRefusedAtOnce) {
  PublishSample(from_, "a", 5000, 1);
  Export({"a"});
  const Bytes whole = Read();
  const auto take = [](ByteSpan bytes) {
    BundleSpool spool("standard input");
    spool.Append(bytes);
    return spool;
  };
  ExpectError(ErrorKind::kCorrupt, "standard input: not a statelib bundle",
              [&] { take(Bytes(4096)); });
  BundleSpool longer = take(whole);
  ExpectError(ErrorKind::kCorrupt, "found more", [&] { longer.Append(Bytes(1)); });
  for (const size_t size : {size_t{0}, size_t{20}, whole.size() / 2, whole.size() - 1})
    ExpectError(ErrorKind::kCorrupt,
                "standard input: ", [&] { take(ByteSpan(whole).first(size)).Finish(); });
}

TEST_F(Bundles, AnImportThatFailsAtAnyStepShowsNothing) {
  PublishSample(from_, "a", 5000, 1);
  Export({"a"});
  for (int n = 1;; ++n) {
    FaultyFileSystem files(n);
    {
      Repository repository = Repository::Open(into_.path(), Access::kWrite, files);
      try {
        Import(repository);
        break;
      } catch (const Error&) {
      }
    }
    EXPECT_THAT(into_.index().references().List({}), IsEmpty()) << n;
    EXPECT_EQ(into_.index().states().count(), 0u);
    CollectGarbage(into_, {});
    EXPECT_TRUE(IsEmptyLibrary(into_));
  }
  ExpectClean(into_);
  EXPECT_EQ(into_.Resolve("a").state.history.token_count(), 5000u);
}

TEST_F(Bundles, CutAtEveryByteAreRefusedAndNothingIsAdded) {
  PublishSample(from_, "a", 5, 1);
  const SigningKey key = SigningKey::Create();
  ExportWith({"a"}, {}, &key);
  const Bytes whole = Read();
  for (size_t length = 0; length < whole.size(); ++length) {
    Write(ByteSpan(whole).first(length));
    EXPECT_THROW(Import(into_), Error) << length;
  }
  EXPECT_TRUE(IsEmptyLibrary(into_));
}

TEST_F(Bundles, EveryFlippedByteIsNoticedAndNothingIsAdded) {
  PublishSample(from_, "a", 5, 1);
  const SigningKey key = SigningKey::Create();
  ExportWith({"a"}, {}, &key);
  Bytes bytes = Read();
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] ^= std::byte{1};
    Write(bytes);
    EXPECT_THROW(Import(into_), Error) << i;
    bytes[i] ^= std::byte{1};
  }
  EXPECT_TRUE(IsEmptyLibrary(into_));
}

TEST_F(Bundles, ANewerVersionIsRefusedWithTheVersionNeeded) {
  PublishSample(from_, "a", 5, 1);
  Export({"a"});
  Bytes bytes = Read();
  StoreLittle<uint32_t>(7, bytes.data() + 8);
  Write(bytes);
  ExpectError(ErrorKind::kUnsupported,
              "bundle format version 7, this statelib reads versions 1 to 3; use a statelib that "
              "reads version 7",
              [&] { Import(into_); });
}

TEST_F(Bundles, AManifestThatLiesIsRefused) {
  PublishSample(from_, "a", 5, 1);
  PublishSample(from_, "b", 6, 2);
  Export({"a", "b"});
  const Bytes sound = Read();
  const BundleManifest truth = BundleFile::Open(file_).manifest();
  const auto refuse = [&](const std::string& part, BundleManifest lie) {
    Write(sound);
    Write(WithManifest(lie));
    ExpectError(ErrorKind::kCorrupt, part, [&] { Import(into_); });
    EXPECT_TRUE(IsEmptyLibrary(into_));
  };
  BundleManifest lie = truth;
  lie.references[0].name = "../../etc/passwd";
  refuse("the character '.' at place 1", lie);
  lie = truth;
  lie.references[0].state = HashOf(AsBytes("nothing"));
  refuse("which the bundle does not hold", lie);
  lie = truth;
  lie.references[0].state = lie.derivations[0].state = lie.objects[0].id;  // tokens
  refuse("names an object that is no state", lie);
  lie = truth;
  std::swap(lie.objects[0].id, lie.objects[1].id);
  refuse("", lie);
  lie = truth;
  lie.objects[0].size_bytes += 1;
  refuse("", lie);
  lie = truth;
  lie.objects[0].size_bytes = kObjectBytesMax;
  refuse("cut short", lie);
  lie = truth;
  lie.models.clear();
  refuse("its model is not described", lie);
  lie = truth;
  lie.references[1].name = lie.references[0].name;
  refuse("twice", lie);
  lie = truth;
  lie.derivations[0].sources[0].name = "a\x1b[2J";
  refuse("a control character", lie);
}

TEST_F(Bundles, AStateWhoseTokensAreMissingIsRefused) {
  PublishSample(from_, "a", 5, 1);
  Export({"a"});
  BundleManifest manifest = BundleFile::Open(file_).manifest();
  const uint64_t tokens_bytes = manifest.objects[0].size_bytes;
  manifest.objects.erase(manifest.objects.begin());
  const Bytes old = Read();
  const auto state_at = ObjectsAt(old) + static_cast<std::ptrdiff_t>(tokens_bytes);
  Write(Assemble(EncodeManifest(manifest, nullptr),
                 ByteSpan(old.begin() + state_at, old.end() - 32)));
  ExpectError(ErrorKind::kCorrupt, "are not in the bundle", [&] { Import(into_); });
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

TEST_F(Bundles, ASignatureOfSomethingElseIsRefused) {
  PublishSample(from_, "a", 5, 1);
  PublishSample(from_, "b", 5, 2);
  const SigningKey key = SigningKey::Create();
  ExportWith({"a"}, {}, &key);
  const Bytes a = Read();
  ExportWith({"b"}, {}, &key);
  const Bytes b = Read();
  // The signature of a on the manifest and objects of b, every hash in order.
  const auto signature_of = [](const Bytes& bundle) { return ObjectsAt(bundle); };
  Bytes manifest(b.begin(), b.begin() + signature_of(b));
  manifest.insert(manifest.end(), a.begin() + signature_of(a), a.begin() + signature_of(a) + 96);
  Write(Assemble(manifest, ByteSpan(b.begin() + signature_of(b) + 96, b.end() - 32)));
  ExpectError(ErrorKind::kCorrupt,
              "its signature is not one of the key " + key.public_key().ShortText(),
              [&] { BundleFile::Open(file_); });
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

TEST_F(Bundles, AFileThatIsNoBundleIsRefused) {
  Write(AsBytes("%PDF-1.7 and so on, for more than sixteen bytes"));
  ExpectError(ErrorKind::kCorrupt, "states.slb: not a statelib bundle", [&] { Import(into_); });
  ExpectError(ErrorKind::kNotFound, "No such file",
              [&] { BundleFile::Open(folder_.path() / "missing.slb"); });
  ExpectError(ErrorKind::kInvalidArgument, "found a folder",
              [&] { BundleFile::Open(folder_.path()); });
}

}  // namespace
}  // namespace statelib::storage
