// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "cli/command_tree.h"
#include "cli/commands.h"
#include "cli/man_page.h"
#include "core/base/atomic_file.h"

namespace statelib::cli {

namespace {

class HelpCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& /*shared*/) override {
    declaration.Argument("COMMAND", &words_, "The command, of one word or two (default: all)",
                         {.shown_as = "COMMAND"});
    // What the build asks; it is in no help.
    declaration.Option("--man", &man_folder_, "Write the pages of the manual into a folder",
                       {.shown_as = "DIR", .group = ""});
    declaration.Examples(
        "  statelib help\n"
        "  statelib help ingest\n"
        "  statelib help model add\n");
  }

  bool describes_others() const override { return true; }
  bool needs_settings() const override { return false; }

  void Run(Context& context) override {
    if (!man_folder_.empty()) return WriteManPages(context.root);
    const CLI::App& app = CommandAt(context.root, words_);
    // Not app.help(), which would speak of the command that was given: of this one.
    context.out.Write(
        app.get_formatter()->make_help(&app, FullName(app), CLI::AppFormatMode::Normal));
  }

 private:
  void WriteManPages(const CLI::App& app) const {
    const std::filesystem::path file =
        std::filesystem::path(man_folder_) / (ManPageName(app) + ".1");
    WriteFileAtomically(FileSystem::Real(), file, AsBytes(ManPage(app)));
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
      WriteManPages(*sub);
  }

  std::vector<std::string> words_;
  std::string man_folder_;
};

}  // namespace

std::unique_ptr<Command> MakeHelpCommand() { return std::make_unique<HelpCommand>(); }

}  // namespace statelib::cli
