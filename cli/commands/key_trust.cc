// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/key_access.h"
#include "core/base/digest.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "statestore/storage/reference.h"

namespace statelib::cli {

namespace {

class KeyTrustCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("KEY", &key_, "A public key, as `statelib key list` prints it",
                         {.shown_as = "ed25519:…", .required = true});
    declaration.Option("--name", &name_, "What to call it here (default: its first 12 digits)",
                       {.shown_as = "NEW-NAME"});
    AddJsonOption(declaration, shared);
    declaration.Examples("  statelib key trust ed25519:1f0c…e9 --name alice\n");
  }

  void Run(Context& context) override {
    const auto key = PublicKey::FromText(key_);
    if (!key) {
      Throw(ErrorKind::kInvalidArgument,
            "{} is no public key: expected \"ed25519:\" and 64 hexadecimal digits", Escaped(key_));
    }
    const std::string name = name_.empty() ? Digest{key->bytes}.ShortHex() : name_;
    const library::NamedKey named = OpenKeys(context).Trust(name, *key);
    if (context.options.json) return context.PrintJson(KeyJson(named));
    context.Tell(Shown::Format("{} is trusted now: {}\n", named.name, named.key.Text()),
                 named.name);
  }

 private:
  std::string key_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> MakeKeyTrustCommand() { return std::make_unique<KeyTrustCommand>(); }

}  // namespace statelib::cli
