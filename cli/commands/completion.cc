// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <functional>
#include <set>

#include "cli/commands.h"
#include "cli/key_access.h"
#include "cli/library_access.h"
#include "core/base/error.h"
#include "statestore/library/inspect.h"
#include "statestore/library/remotes.h"

namespace statelib::cli {

namespace {

/// More would be of no use to choose from.
constexpr size_t kNamesMax = 10000;

using Visit = std::function<void(const std::string&)>;

void ForEachState(const library::Library& library, const Visit& visit) {
  storage::ReferenceQuery query;
  query.limit = kNamesMax;
  for (const storage::ReferenceRow& row : library::List(library, query))
    visit(storage::Reference{row.name, row.tag, {}}.Text());
}

void ForEachTag(const library::Library& library, const Visit& visit) {
  std::set<std::string> tags;
  storage::ReferenceQuery query;
  query.limit = kNamesMax;
  for (const storage::ReferenceRow& row : library::List(library, query)) tags.insert(row.tag);
  for (const std::string& tag : tags) visit(tag);
}

void ForEachModel(const library::Library& library, const Visit& visit) {
  for (const library::ModelDetails& model : library::ListModels(library))
    if (!model.row.name.empty() && model.row.name != EmbeddedModel().name) visit(model.row.name);
}

void ForEachRemote(const library::Library& library, const Visit& visit) {
  for (const library::NamedRemote& remote : library::ListRemotes(library)) visit(remote.name);
}

class CompletionCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& /*shared*/) override {
    declaration.Argument("SHELL", &shell_, "bash, zsh or fish",
                         {.choices = {"bash", "zsh", "fish"}});
    // What the scripts ask; it is in no help.
    declaration.Option("--words", &words_, "Print the names of this kind that there are",
                       {.choices = {"states", "models", "remotes", "tags", "keys"}, .group = ""});
    declaration.Examples(
        "  source <(statelib completion bash)\n"
        "  statelib completion zsh > ~/.zsh/functions/_statelib\n"
        "  statelib completion fish > ~/.config/fish/completions/statelib.fish\n");
  }

  bool describes_others() const override { return true; }
  bool needs_settings() const override { return !words_.empty(); }

  void Run(Context& context) override {
    if (!words_.empty()) return PrintWords(context);
    const std::vector<CommandWords> commands = DescribeCommands(context.root);
    if (shell_ == "bash")
      context.out.Write(BashCompletion(commands));
    else if (shell_ == "zsh")
      context.out.Write(ZshCompletion(commands));
    else if (shell_ == "fish")
      context.out.Write(FishCompletion(commands));
    else
      Throw(ErrorKind::kInvalidArgument,
            "no shell was named: expected bash, zsh or fish; see statelib completion --help");
  }

 private:
  void PrintWords(Context& context) const {
    const Visit print = [&context](const std::string& word) { context.PrintName(word); };
    if (words_ == "keys") {
      for (const library::NamedKey& key : OpenKeys(context).List()) print(key.name);
      return;
    }
    if (words_ == "models") print(EmbeddedModel().name);
    const std::optional<library::Library> library = OpenLibraryIfThere(context);
    if (!library) return;
    if (words_ == "states") ForEachState(*library, print);
    if (words_ == "tags") ForEachTag(*library, print);
    if (words_ == "models") ForEachModel(*library, print);
    if (words_ == "remotes") ForEachRemote(*library, print);
  }

  std::string shell_;
  std::string words_;
};

}  // namespace

std::unique_ptr<Command> MakeCompletionCommand() { return std::make_unique<CompletionCommand>(); }

}  // namespace statelib::cli
