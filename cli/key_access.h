// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_KEY_ACCESS_H_
#define STATELIB_CLI_KEY_ACCESS_H_

#include <string>

#include "cli/command.h"
#include "statestore/library/keys.h"

namespace statelib::cli {

/// The keys of the user. Errors: those of Environment::ConfigDirectory.
library::KeyRing OpenKeys(const Context& context);

/// Whether to sign, and with what.
struct SigningOptions {
  std::string key;
  bool no_sign = false;
};

/// --sign and --no-sign.
void AddSigningOptions(Declaration& declaration, SigningOptions& options);
/// The key to sign with, if any. Errors: those of KeyRing::Signing.
std::optional<SigningKey> ChooseSigningKey(const Context& context, const SigningOptions& options);

/// --allow-unsigned and --trust-signer.
void AddSignerOptions(Declaration& declaration, library::SignerPolicy& policy);

/// {"name", "key", "own"}.
Json KeyJson(const library::NamedKey& key);
/// {"key", "name", "accepted"}, the first two null where there is none.
Json SignerJson(const library::SignerReport& report);
/// "signed by alice (ed25519:0123456789ab)", "not signed".
std::string SignerText(const library::SignerReport& report);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_KEY_ACCESS_H_
