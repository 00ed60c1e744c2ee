// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/key_access.h"
#include "cli/terminal/table.h"

namespace statelib::cli {

namespace {

class KeyListCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    AddJsonOption(declaration, shared);
    declaration.Examples("  statelib key list\n  statelib key list --json\n");
  }

  void Run(Context& context) override {
    const std::vector<library::NamedKey> keys = OpenKeys(context).List();
    if (context.options.json) {
      Json list = Json::array();
      for (const library::NamedKey& key : keys) list.push_back(KeyJson(key));
      return context.PrintJson({{"keys", list}});
    }
    if (context.options.quiet) {
      for (const library::NamedKey& key : keys) context.PrintName(key.name);
      return;
    }
    Table table(
        {{"NAME", Align::kLeft, false, Colour::kBold}, {"KIND"}, {"KEY", Align::kLeft, true}});
    for (const library::NamedKey& key : keys)
      table.Add({key.name, key.own ? "own" : "trusted", key.key.Text()});
    table.Print(context.out);
  }
};

}  // namespace

std::unique_ptr<Command> MakeKeyListCommand() { return std::make_unique<KeyListCommand>(); }

}  // namespace statelib::cli
