// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "statestore/library/exchange.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/faulty_file_system.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::library {
namespace {

class Keys : public testing::Test {
 protected:
  mode_t ModeOf(const std::string& name) {
    struct stat info {};
    EXPECT_EQ(::stat((folder_.path() / name).c_str(), &info), 0) << name;
    return info.st_mode & 0777;
  }

  TemporaryDirectory folder_;
  KeyRing keys_{folder_.path() / "config"};
};

TEST_F(Keys, ASecretIsForItsOwnerAlone) {
  const mode_t before = ::umask(0);
  keys_.Create("me");
  ::umask(before);
  EXPECT_EQ(ModeOf("config/keys"), 0700u);
  EXPECT_EQ(ModeOf("config/keys/me"), 0600u);
}

TEST_F(Keys, OneThatCannotBeWrittenWholeIsNotThere) {
  bool failed = true;
  for (int n = 1; failed; ++n) {
    FaultyFileSystem files(n);
    KeyRing faulty(folder_.path() / "config", files);
    try {
      faulty.Create("me");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kIo);
    }
    failed = files.failed();
    // The last change makes the name durable: the key is there, and whole.
    for (const NamedKey& key : keys_.List()) {
      EXPECT_EQ(key.key, keys_.Signing("me")->public_key());
      keys_.Remove(key);
    }
  }
}

TEST_F(Keys, ASecretThatOthersCanReadIsRefused) {
  keys_.Create("me");
  ::chmod((folder_.path() / "config/keys/me").c_str(), 0640);
  ExpectError(ErrorKind::kInvalidArgument, "chmod 600", [&] { keys_.Signing("me"); });
}

TEST_F(Keys, OfOneOwnerSignAndOfOthersVerify) {
  const NamedKey me = keys_.Create("me");
  const PublicKey other = SigningKey::Create().public_key();
  keys_.Trust("other", other);
  EXPECT_EQ(keys_.Signing("me")->public_key(), me.key);
  EXPECT_EQ(keys_.Signing("")->public_key(), me.key);
  EXPECT_EQ(keys_.Find(other)->name, "other");
  EXPECT_EQ(keys_.Find(me.key)->name, "me");
  EXPECT_FALSE(keys_.Find(SigningKey::Create().public_key()));
  ExpectError(ErrorKind::kNotFound, "its secret, to sign with, is not here",
              [&] { keys_.Signing("other"); });
  ExpectError(ErrorKind::kNotFound, "no key named nobody; there are me, other",
              [&] { keys_.Signing("nobody"); });
}

TEST_F(Keys, WithoutANameTheOnlyOneSigns) {
  EXPECT_FALSE(keys_.Signing(""));
  keys_.Create("b");
  EXPECT_TRUE(keys_.Signing(""));
  keys_.Create("a");
  ExpectError(ErrorKind::kInvalidArgument, "a, b; choose one with --sign",
              [&] { keys_.Signing(""); });
}

TEST_F(Keys, NamesAndKeysAreTakenOnce) {
  const NamedKey me = keys_.Create("me");
  ExpectError(ErrorKind::kInvalidArgument, "already", [&] { keys_.Create("me"); });
  ExpectError(ErrorKind::kInvalidArgument, "trusted already: it is me",
              [&] { keys_.Trust("again", me.key); });
  ExpectError(ErrorKind::kInvalidArgument, "", [&] { keys_.Create("../me"); });
  EXPECT_EQ(keys_.List().size(), 1u);
}

TEST_F(Keys, AreForgotten) {
  keys_.Remove(keys_.Create("me"));
  keys_.Remove(keys_.Trust("you", SigningKey::Create().public_key()));
  EXPECT_TRUE(keys_.List().empty());
}

TEST_F(Keys, DamagedFilesAreNamed) {
  folder_.Write("config/trusted/you", "ed25519:12");
  ExpectError(ErrorKind::kCorrupt, "trusted/you: expected a line", [&] { keys_.List(); });
}

class Signed : public Keys {
 protected:
  void SetUp() override { storage::PublishSample(from_.repository(), "a"); }
  void ExportAs(const SigningKey* key) {
    Export(from_, {{"a"}}, file_, {.manifest = {}, .key = key, .control = {}});
  }
  BundleReport ImportWith(const SignerPolicy& policy, bool dry_run = false) {
    storage::BundleFile bundle = storage::BundleFile::Open(file_);
    return Import(into_, bundle, "a.statelib", keys_, policy, {.dry_run = dry_run});
  }
  bool IsEmpty() { return into_.repository().index().states().count() == 0; }

  std::filesystem::path file_ = folder_.path() / "a.statelib";
  Library from_ = Library::Open(folder_.path() / "from", Library::Access::kCreate);
  Library into_ = Library::Open(folder_.path() / "into", Library::Access::kCreate);
};

TEST_F(Signed, ByATrustedKeyIsTaken) {
  keys_.Create("me");
  const std::optional<SigningKey> me = keys_.Signing("me");
  ExportAs(&*me);
  const BundleReport report = ImportWith({});
  EXPECT_EQ(report.signer.known->name, "me");
  EXPECT_FALSE(IsEmpty());
}

TEST_F(Signed, ByAnUnknownKeyIsRefusedUntilItIsTrusted) {
  const SigningKey stranger = SigningKey::Create();
  ExportAs(&stranger);
  ExpectError(ErrorKind::kMismatch, "statelib key trust " + stranger.public_key().Text(),
              [&] { ImportWith({}); });
  ExpectError(ErrorKind::kMismatch, "not trusted here",
              [&] { ImportWith({.allow_unsigned = true}); });
  EXPECT_TRUE(IsEmpty());
  EXPECT_FALSE(ImportWith({}, true).signer.accepted);  // a dry run says so and goes on
  EXPECT_FALSE(keys_.Find(stranger.public_key()));
  EXPECT_TRUE(ImportWith({.trust_signer = true}).signer.known);
  EXPECT_TRUE(keys_.Find(stranger.public_key()));
  EXPECT_TRUE(ImportWith({}).signer.accepted);
}

TEST_F(Signed, ByNobodyIsRefusedUnlessAllowed) {
  ExportAs(nullptr);
  ExpectError(ErrorKind::kMismatch, "--allow-unsigned", [&] { ImportWith({}); });
  ExpectError(ErrorKind::kMismatch, "--allow-unsigned",
              [&] { ImportWith({.trust_signer = true}); });
  EXPECT_TRUE(IsEmpty());
  ImportWith({.allow_unsigned = true});
  EXPECT_FALSE(IsEmpty());
}

TEST_F(Signed, AndDamagedDoesNotMakeItsSignerTrusted) {
  const SigningKey stranger = SigningKey::Create();
  ExportAs(&stranger);
  std::fstream(file_, std::ios::in | std::ios::out | std::ios::binary).seekp(-100, std::ios::end)
      << "damage";
  EXPECT_THROW(ImportWith({.trust_signer = true}), Error);
  EXPECT_TRUE(keys_.List().empty());
  EXPECT_TRUE(IsEmpty());
}

}  // namespace
}  // namespace statelib::library
