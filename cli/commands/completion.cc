// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include "cli/commands.h"

namespace statelib::cli {

namespace {

class CompletionCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& /*shared*/) override {
    declaration.Argument("SHELL", &shell_, "bash, zsh or fish",
                         {.required = true, .choices = {"bash", "zsh", "fish"}});
    declaration.Examples(
        "  source <(statelib completion bash)\n"
        "  statelib completion zsh > ~/.zsh/functions/_statelib\n"
        "  statelib completion fish > ~/.config/fish/completions/statelib.fish\n");
  }

  void Run(Context& context) override {
    const std::vector<CommandWords> commands = DescribeCommands(context.root);
    if (shell_ == "bash")
      context.out.Write(BashCompletion(commands));
    else if (shell_ == "zsh")
      context.out.Write(ZshCompletion(commands));
    else
      context.out.Write(FishCompletion(commands));
  }

 private:
  std::string shell_;
};

}  // namespace

std::unique_ptr<Command> MakeCompletionCommand() { return std::make_unique<CompletionCommand>(); }

}  // namespace statelib::cli
