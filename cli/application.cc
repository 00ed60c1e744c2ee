// SPDX-License-Identifier: Apache-2.0
#include "cli/application.h"

#include <algorithm>
#include <string_view>

#include "cli/command_tree.h"
#include "cli/exit_code.h"
#include "cli/version.h"
#include "core/base/error.h"
#include "core/base/printable.h"

namespace statelib::cli {

namespace {

constexpr const char* kDescription =
    "statelib keeps what a Mamba model has read: a document becomes a named state, and a later "
    "answer starts from the state instead of the document.";

constexpr const char* kExamples =
    "Examples:\n"
    "  statelib ingest handbook handbook.md\n"
    "  statelib generate handbook 'Question: Who keeps the key?\\nAnswer:'\n"
    "  statelib list\n"
    "  statelib COMMAND --help\n\n";

}  // namespace

Application::Application(Output& out, Output& err, const Environment& environment,
                         const CancelFlag& cancel, std::chrono::steady_clock::time_point started_at)
    : out_(out),
      err_(err),
      environment_(environment),
      cancel_(cancel),
      started_at_(started_at),
      notes_(err),
      root_(kDescription) {
  root_.name("statelib");
  root_.require_subcommand(1);
  root_.set_help_flag("-h,--help", "Print this help");
  root_.set_version_flag("-V,--version", std::string("statelib ") + Version(), "Print the version");
  root_.footer(std::string(kExamples) + ExitCodesHelp());
  root_.get_formatter()->column_width(34);
  root_.get_formatter()->label("SUBCOMMAND", "COMMAND");
  root_.get_formatter()->label("Positionals", "Arguments");
  for (const CommandDescription& description : AllCommands()) AddCommand(description);
}

CLI::App& Application::GroupFor(const CommandDescription& description, std::string& name) {
  name = description.name;
  const size_t space = name.find(' ');
  if (space == std::string::npos) return root_;
  const std::string group = name.substr(0, space);
  name.erase(0, space + 1);
  const auto existing =
      root_.get_subcommands([&](CLI::App* app) { return app->get_name() == group; });
  if (!existing.empty()) return *existing.front();
  const CommandGroup& described = GroupNamed(group);
  CLI::App* added = root_.add_subcommand(group, described.summary);
  added->group(description.group)->require_subcommand(1);
  Declaration(*added).Examples(described.examples);
  return *added;
}

void Application::AddCommand(const CommandDescription& description) {
  std::string name;
  CLI::App& parent = GroupFor(description, name);
  CLI::App* app = parent.add_subcommand(name, description.summary);
  if (&parent == &root_) app->group(description.group);
  entries_.push_back({app, description.make()});
}

void Application::DeclareOptions(std::span<const std::string> arguments) {
  const CLI::App* const named = &CommandAt(root_, arguments);
  const auto entry = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& one) { return one.app == named; });
  const bool alone = entry != entries_.end() && !entry->command->describes_others();
  for (const Entry& one : entries_) {
    if (alone && one.app != named) continue;
    Declaration declaration(*one.app);
    one.command->Declare(declaration, shared_);
    AddCommonOptions(declaration, shared_);
  }
}

bool Application::Parse(int argc, const char* const* argv) {
  try {
    root_.parse(argc, argv);
    return true;
  } catch (const CLI::CallForVersion& version) {
    out_.Write(std::string(version.what()) + "\n");
  } catch (const CLI::Success&) {
    out_.Write(root_.help());
  } catch (const CLI::ParseError& error) {
    // A misspelt option explains why another is missing.
    ThrowIfExtra(root_);
    Throw(ErrorKind::kInvalidArgument, "{}; see {} --help", Printable(error.what()),
          FullName(Deepest(root_)));
  }
  return false;
}

void Application::Run(int argc, const char* const* argv) {
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  wants_json_ = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  CheckNamesCommand(root_, arguments);
  DeclareOptions(arguments);
  if (!Parse(argc, argv)) return;
  wants_json_ = shared_.json;
  if (wants_json_) notes_.KeepForJson();
  if (shared_.quiet) notes_.LeaveOutHarmless();
  CLI::App& chosen = Deepest(root_);
  const auto entry = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& one) { return one.app == &chosen; });
  if (entry->command->needs_settings()) TakeSettings(chosen);
  Output nowhere = Output::Nowhere();
  Context context{out_,         shared_.quiet ? nowhere : err_,
                  err_,         notes_,
                  environment_, settings_,
                  cancel_,      shared_,
                  root_,        started_at_,
                  kExitSuccess};
  entry->command->Run(context);
  exit_code_ = context.exit_code;
}

void Application::TakeSettings(CLI::App& app) {
  settings_ = Settings::Load(environment_.ConfigFile());
  const std::string colour = settings_.Text("colour");
  if (environment_.no_colour.empty() && (colour == "always" || colour == "never")) {
    out_.ShowColours(colour == "always");
    err_.ShowColours(colour == "always");
  }
  for (const SettingDescription& setting : AllSettings()) {
    const Settings::Value* value = settings_.Find(setting.key);
    CLI::Option* option = value == nullptr ? nullptr : OptionOf(app, setting);
    if (option == nullptr || option->count() > 0) continue;
    option->add_result(value->text);
    option->run_callback();
  }
}

}  // namespace statelib::cli
