// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/keys.h"

#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/atomic_file.h"
#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/base/nearest_names.h"
#include "core/base/printable.h"
#include "core/base/secret_file.h"
#include "statestore/storage/reference.h"

namespace statelib::library {

namespace {

constexpr std::string_view kSecretPrefix = "statelib-ed25519-secret:";
constexpr uint64_t kKeyFileBytesMax = 1024;

/// Writes a new file that only its owner can read, from its making on. Where that fails there is
/// none.
void WriteSecretFile(FileSystem& files, const std::filesystem::path& path, std::string_view text) {
  const auto file = files.Create(path, 0600);
  try {
    file->Append(AsBytes(text));
    file->Sync();
    file->Close();
  } catch (const Error&) {
    files.Remove(path);
    throw;
  }
}

std::string FirstLine(FileSystem& files, const std::filesystem::path& path) {
  const Bytes bytes = files.ReadFile(path, kKeyFileBytesMax);
  const std::string_view text = AsText(bytes);
  return std::string(text.substr(0, text.find('\n')));
}

}  // namespace

KeyRing::KeyRing(std::filesystem::path directory, FileSystem& files)
    : directory_(std::move(directory)), files_(files) {}

std::filesystem::path KeyRing::PathOf(const NamedKey& key) const {
  return directory_ / (key.own ? "keys" : "trusted") / key.name;
}

void KeyRing::CheckIsFree(const std::string& name) const {
  storage::CheckTag(name);
  for (const NamedKey& key : List()) {
    if (key.name != name) continue;
    Throw(
        ErrorKind::kInvalidArgument,
        "there is a key named {} already, {}; choose another name or remove it with `statelib key "
        "rm {}`",
        name, key.key.ShortText(), name);
  }
}

NamedKey KeyRing::Create(const std::string& name) {
  CheckIsFree(name);
  const SigningKey key = SigningKey::Create();
  const NamedKey named{name, key.public_key(), true};
  const std::filesystem::path path = PathOf(named);
  files_.CreateDirectories(path.parent_path());
  if (::chmod(path.parent_path().c_str(), 0700) != 0)
    ThrowErrno("cannot protect", path.parent_path().string(), errno);
  WriteSecretFile(files_, path, fmt::format("{}{}\n", kSecretPrefix, Digest{key.Seed()}.Hex()));
  files_.SyncDirectory(path.parent_path());
  return named;
}

NamedKey KeyRing::Trust(const std::string& name, const PublicKey& key) {
  CheckIsFree(name);
  if (const auto known = Find(key)) {
    Throw(ErrorKind::kInvalidArgument, "the key {} is trusted already: it is {}", key.ShortText(),
          known->name);
  }
  const NamedKey named{name, key, false};
  const std::filesystem::path path = PathOf(named);
  files_.CreateDirectories(path.parent_path());
  WriteFileAtomically(files_, path, AsBytes(key.Text() + "\n"));
  return named;
}

std::vector<NamedKey> KeyRing::List() const {
  std::vector<NamedKey> keys;
  for (const auto& name : files_.List(directory_ / "keys"))
    keys.push_back({name.string(), ReadSecret(name.string()).public_key(), true});
  for (const auto& name : files_.List(directory_ / "trusted")) {
    if (name.extension() == ".part") continue;  // of a writing that was cut off
    NamedKey key{name.string(), {}, false};
    const auto found = PublicKey::FromText(FirstLine(files_, PathOf(key)));
    if (!found) {
      Throw(ErrorKind::kCorrupt, "{}: expected a line \"ed25519:\" and 64 digits; remove the file",
            PathOf(key).string());
    }
    key.key = *found;
    keys.push_back(std::move(key));
  }
  return keys;
}

NamedKey KeyRing::Find(const std::string& name) const {
  std::vector<std::string> names;
  for (const NamedKey& key : List()) {
    if (key.name == name) return key;
    names.push_back(key.name);
  }
  if (names.empty()) {
    Throw(ErrorKind::kNotFound,
          "there is no key named {}, and no other; `statelib key create` "
          "makes one",
          Escaped(name));
  }
  Throw(ErrorKind::kNotFound, "there is no key named {}{}; there are {}", Escaped(name),
        DidYouMean(name, names), fmt::join(names, ", "));
}

std::optional<NamedKey> KeyRing::Find(const PublicKey& key) const {
  for (NamedKey& named : List()) {
    if (named.key == key) return std::move(named);
  }
  return std::nullopt;
}

void KeyRing::Remove(const NamedKey& key) {
  files_.Remove(PathOf(key));
  files_.SyncDirectory(PathOf(key).parent_path());
}

SigningKey KeyRing::ReadSecret(const std::string& name) const {
  const std::filesystem::path path = PathOf({name, {}, true});
  RequireSecret(path, "a secret key");
  const std::string line = FirstLine(files_, path);
  const auto seed = line.starts_with(kSecretPrefix)
                        ? Digest::FromHex(std::string_view(line).substr(kSecretPrefix.size()))
                        : std::nullopt;
  if (!seed) Throw(ErrorKind::kCorrupt, "{}: not a secret key of statelib", path.string());
  return SigningKey::FromSeed(seed->bytes);
}

std::optional<SigningKey> KeyRing::Signing(const std::string& name) const {
  if (!name.empty()) {
    const NamedKey key = Find(name);
    if (!key.own) {
      Throw(ErrorKind::kNotFound, "{} is a trusted key; its secret, to sign with, is not here",
            name);
    }
    return ReadSecret(name);
  }
  std::vector<std::string> names;
  for (const NamedKey& key : List()) {
    if (key.own) names.push_back(key.name);
  }
  if (names.empty()) return std::nullopt;
  if (names.size() > 1) {
    Throw(ErrorKind::kInvalidArgument, "several keys to sign with: {}; choose one with --sign",
          fmt::join(names, ", "));
  }
  return ReadSecret(names.front());
}

SignerReport JudgeSigner(const KeyRing& keys, const std::optional<PublicKey>& signer,
                         const SignerPolicy& policy) {
  SignerReport report;
  report.signer = signer;
  if (signer) report.known = keys.Find(*signer);
  report.accepted =
      signer ? report.known.has_value() || policy.trust_signer : policy.allow_unsigned;
  return report;
}

void RequireAccepted(const SignerReport& report, const std::string& location) {
  if (report.accepted) return;
  if (!report.signer) {
    Throw(ErrorKind::kMismatch,
          "{}: nobody has signed it, so that nothing says where it comes from; pass "
          "--allow-unsigned to take it all the same",
          location);
  }
  Throw(ErrorKind::kMismatch,
        "{}: signed by {}, a key that is not trusted here; once its owner has confirmed it to you, "
        "run `statelib key trust {} --name WHO`, or pass --trust-signer",
        location, report.signer->ShortText(), report.signer->Text());
}

void RememberSigner(KeyRing& keys, SignerReport& report, const SignerPolicy& policy) {
  if (!policy.trust_signer || !report.signer || report.known) return;
  const std::string name = Digest{report.signer->bytes}.ShortHex();
  report.known = keys.Trust(name, *report.signer);
}

}  // namespace statelib::library
