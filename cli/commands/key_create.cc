// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/key_access.h"

namespace statelib::cli {

namespace {

class KeyCreateCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &name_, "What to call the key here",
                         {.shown_as = "NEW-NAME", .required = true});
    AddJsonOption(declaration, shared);
    declaration.Examples("  statelib key create alice\n");
  }

  void Run(Context& context) override {
    const library::NamedKey key = OpenKeys(context).Create(name_);
    if (context.options.json) return context.PrintJson(KeyJson(key));
    context.Tell(
        Shown::Format(
            "{}: {}\n`statelib key trust {} --name {}` on another machine makes it trusted there\n",
            key.name, key.key.Text(), key.key.Text(), key.name),
        key.key.Text());
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> MakeKeyCreateCommand() { return std::make_unique<KeyCreateCommand>(); }

}  // namespace statelib::cli
