// SPDX-License-Identifier: Apache-2.0
// Bundles that are damaged, lie or break off, and files that fail, show nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "statestore/storage/message_codec.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/faulty_file_system.h"
#include "tests/statestore/storage/bundles.h"

namespace statelib::storage {
namespace {

using testing::IsEmpty;

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
      Repository repository = Repository::Open(into_.path(), Repository::Access::kWrite, files);
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
