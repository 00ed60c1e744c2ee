// SPDX-License-Identifier: Apache-2.0
#include "cli/application.h"

#include <algorithm>
#include <string_view>

#include "cli/exit_code.h"
#include "cli/terminal/printable.h"
#include "core/base/error.h"
#include "statestore/storage/reference.h"

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

std::string FullName(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : FullName(*parent) + " " + app.get_name();
}

const CLI::App& Deepest(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : Deepest(*chosen.front());
}

std::vector<std::string> NamesOf(const CLI::App& parent) {
  std::vector<std::string> names;
  for (const CLI::App* app : parent.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(app->get_name());
  return names;
}

std::string DidYouMean(std::string_view typed, const std::vector<std::string>& names) {
  const std::vector<std::string> nearest =
      storage::NearestNames(typed, [&names](const std::function<void(const std::string&)>& visit) {
        std::for_each(names.begin(), names.end(), visit);
      });
  return nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest.front());
}

}  // namespace

Application::Application(Output& out, Output& err, const Environment& environment,
                         const CancelFlag& cancel, std::chrono::steady_clock::time_point started_at)
    : out_(out),
      err_(err),
      environment_(environment),
      cancel_(cancel),
      started_at_(started_at),
      root_(kDescription) {
  root_.name("statelib");
  root_.require_subcommand(1);
  root_.set_help_flag("-h,--help", "Print this help");
  root_.set_version_flag("--version", "statelib " STATELIB_VERSION, "Print the version");
  root_.footer(std::string(kExamples) + ExitCodesHelp());
  root_.get_formatter()->column_width(34);
  root_.get_formatter()->label("SUBCOMMAND", "COMMAND");
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
  CLI::App* added = root_.add_subcommand(group, description.parent_summary);
  added->group(description.group)->require_subcommand(1);
  return *added;
}

void Application::AddCommand(const CommandDescription& description) {
  std::string name;
  CLI::App& parent = GroupFor(description, name);
  CLI::App* app = parent.add_subcommand(name, description.summary);
  if (&parent == &root_) app->group(description.group);
  entries_.push_back({app, description.make()});
  Declaration declaration(*app);
  entries_.back().command->Declare(declaration, shared_);
  AddQuietOption(declaration, shared_);
}

void Application::CheckCommandName(CLI::App& parent, std::span<const char* const> arguments) const {
  const std::vector<std::string> names = NamesOf(parent);
  if (names.empty()) return;
  const std::string help = FullName(parent) + " --help";
  if (arguments.empty())
    Throw(ErrorKind::kInvalidArgument, "'{}' needs a command; see {}", FullName(parent), help);
  const std::string_view word = arguments.front();
  if (word.starts_with("-")) return;
  if (std::find(names.begin(), names.end(), word) == names.end())
    Throw(ErrorKind::kInvalidArgument, "there is no command '{} {}'{}; see {}", FullName(parent),
          Printable(word, LineBreaks::kEscape), DidYouMean(word, names), help);
  CheckCommandName(*parent.get_subcommand(std::string(word)), arguments.subspan(1));
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
    Throw(ErrorKind::kInvalidArgument, "{}; see {} --help",
          Printable(error.what(), LineBreaks::kEscape), FullName(Deepest(root_)));
  }
  return false;
}

void Application::Run(int argc, const char* const* argv) {
  const std::span arguments(argv + 1, static_cast<size_t>(std::max(argc - 1, 0)));
  wants_json_ = std::any_of(arguments.begin(), arguments.end(), [](const char* argument) {
    return std::string_view(argument) == "--json";
  });
  CheckCommandName(root_, arguments);
  if (!Parse(argc, argv)) return;
  wants_json_ = shared_.json;
  Output nowhere = Output::Nowhere();
  Context context{out_,        shared_.quiet ? nowhere : err_,
                  err_,        environment_,
                  cancel_,     shared_,
                  root_,       started_at_,
                  kExitSuccess};
  const CLI::App* chosen = &Deepest(root_);
  for (const Entry& entry : entries_)
    if (entry.app == chosen) entry.command->Run(context);
  exit_code_ = context.exit_code;
}

}  // namespace statelib::cli
