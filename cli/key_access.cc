// SPDX-License-Identifier: Apache-2.0
#include "cli/key_access.h"

namespace statelib::cli {

library::KeyRing OpenKeys(const Context& context) {
  return library::KeyRing(context.environment.ConfigDirectory());
}

void AddSigningOptions(Declaration& declaration, SigningOptions& options) {
  declaration.Option("--sign", &options.key,
                     "The key to sign with (default: your only one, if you have one)",
                     {.shown_as = "KEY"});
  declaration.Flag("--no-sign", options.no_sign, "Do not sign");
  declaration.Exclude("--no-sign", "--sign");
}

std::optional<SigningKey> ChooseSigningKey(const Context& context, const SigningOptions& options) {
  if (options.no_sign) return std::nullopt;
  const Environment& environment = context.environment;
  // Without a place for keys there is none to sign with.
  if (options.key.empty() && environment.home.empty() && environment.xdg_config_home.empty())
    return std::nullopt;
  return OpenKeys(context).Signing(options.key);
}

void AddSignerOptions(Declaration& declaration, library::SignerPolicy& policy) {
  declaration.Flag("--allow-unsigned", policy.allow_unsigned, "Take what nobody has signed");
  declaration.Flag("--trust-signer", policy.trust_signer,
                   "Trust an unknown signer from now on, once everything was found sound");
}

Json KeyJson(const library::NamedKey& key) {
  return {{"name", key.name}, {"key", key.key.Text()}, {"own", key.own}};
}

Json SignerJson(const library::SignerReport& report) {
  return {{"key", report.signer ? Json(report.signer->Text()) : Json(nullptr)},
          {"name", report.known ? Json(report.known->name) : Json(nullptr)},
          {"accepted", report.accepted}};
}

std::string SignerText(const library::SignerReport& report) {
  if (!report.signer) return "not signed";
  if (!report.known) return "signed by an unknown key, " + report.signer->Text();
  return fmt::format("signed by {} ({})", report.known->name, report.signer->ShortText());
}

}  // namespace statelib::cli
