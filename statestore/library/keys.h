// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_KEYS_H_
#define STATELIB_STATESTORE_LIBRARY_KEYS_H_

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/file_system.h"
#include "core/base/signature.h"

namespace statelib::library {

/// A key by its name on this machine.
struct NamedKey {
  std::string name;
  PublicKey key;
  bool own = false;  ///< its secret half is here, so that it can sign; it is trusted by that
};

/// The keys of a user: those to sign with and those that are trusted. They lie in the user's
/// configuration and never in a library, which others may write: keys/NAME holds a secret and is
/// for its owner's eyes alone (mode 0600), trusted/NAME a public key. Names are like tags. Reads
/// the folder at every call; thread-compatible.
class KeyRing {
 public:
  /// Makes no folder and looks at none.
  explicit KeyRing(std::filesystem::path directory, FileSystem& files = FileSystem::Real());

  /// Makes a key to sign with. Errors: kInvalidArgument for a name that is taken or no name; kIo.
  NamedKey Create(const std::string& name);
  /// Trusts a key of somebody else. Errors: as Create, and for a key that is trusted already.
  NamedKey Trust(const std::string& name, const PublicKey& key);
  /// Own keys and then trusted ones, by name. Errors: kCorrupt for a damaged file.
  std::vector<NamedKey> List() const;
  /// Errors: kNotFound with the names there are.
  NamedKey Find(const std::string& name) const;
  /// The key of that public half, if it is an own or a trusted one.
  std::optional<NamedKey> Find(const PublicKey& key) const;
  /// Errors: kNotFound.
  void Remove(const NamedKey& key);

  /// The key to sign with: the own key of that name; for an empty name the only own key, or nothing
  /// where there is none. Errors: kNotFound; kInvalidArgument when there are several to choose
  /// from, and for a secret that others can read.
  std::optional<SigningKey> Signing(const std::string& name) const;

 private:
  std::filesystem::path PathOf(const NamedKey& key) const;
  void CheckIsFree(const std::string& name) const;
  SigningKey ReadSecret(const std::string& name) const;

  std::filesystem::path directory_;
  FileSystem& files_;
};

/// What to do about a signature.
struct SignerPolicy {
  bool allow_unsigned = false;
  bool trust_signer = false;  ///< trust the signer from now on if it is unknown
};

/// Who signed, and whether that is enough.
struct SignerReport {
  std::optional<PublicKey> signer;  ///< whose genuine signature it is; empty: not signed
  std::optional<NamedKey> known;    ///< the same, by its name here
  bool accepted = false;
};

SignerReport JudgeSigner(const KeyRing& keys, const std::optional<PublicKey>& signer,
                         const SignerPolicy& policy);

/// Errors: kMismatch for what JudgeSigner did not accept, with what to do. `location` names the
/// thing.
void RequireAccepted(const SignerReport& report, const std::string& location);

/// Trusts a signer that the policy told to trust, once all that it signed has been found sound.
void RememberSigner(KeyRing& keys, SignerReport& report, const SignerPolicy& policy);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_KEYS_H_
