// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/key_access.h"
#include "core/base/error.h"

namespace statelib::cli {

namespace {

class KeyRmCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &name_, "The key to forget",
                         {.shown_as = "KEY", .required = true});
    declaration.Flag("--secret", secret_, "Also a key of your own, whose secret is then gone");
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib key rm alice\n"
        "  statelib key rm me --secret\n");
  }

  void Run(Context& context) override {
    library::KeyRing keys = OpenKeys(context);
    const library::NamedKey key = keys.Find(name_);
    if (key.own && !secret_) {
      Throw(ErrorKind::kInvalidArgument,
            "{} is a key of your own, and its secret is nowhere else; pass --secret to remove it",
            key.name);
    }
    keys.Remove(key);
    if (context.options.json) return context.PrintJson({{"removed", KeyJson(key)}});
    context.Tell(Shown::Format("removed {}\n", key.name), key.name);
  }

 private:
  std::string name_;
  bool secret_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeKeyRmCommand() { return std::make_unique<KeyRmCommand>(); }

}  // namespace statelib::cli
