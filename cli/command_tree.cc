// SPDX-License-Identifier: Apache-2.0
#include "cli/command_tree.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "core/base/error.h"
#include "core/base/nearest_names.h"
#include "core/base/printable.h"

namespace statelib::cli {

namespace {

std::vector<const CLI::App*> Below(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::string Quoted(std::string_view word) { return "'" + Printable(word) + "'"; }

std::string TextOfExtra(const CLI::App& app, const std::string& word) {
  const std::string name = FullName(app);
  if (!word.starts_with("-") || word == "-")
    return fmt::format("{} takes no further argument, found {}", name, Quoted(word));
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& flag : option->get_lnames()) flags.push_back("--" + flag);
  const std::string flag = word.substr(0, word.find('='));
  return fmt::format("{} has no option {}{}", name, Quoted(flag), DidYouMean(flag, flags));
}

}  // namespace

std::string FullName(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : FullName(*parent) + " " + app.get_name();
}

const CLI::App& Deepest(const CLI::App& root) {
  const auto chosen = root.get_subcommands();
  return chosen.empty() ? root : Deepest(*chosen.front());
}

CLI::App& Deepest(CLI::App& root) {
  const auto chosen = root.get_subcommands();
  return chosen.empty() ? root : Deepest(*chosen.front());
}

CLI::Option* OptionOf(CLI::App& app, const SettingDescription& setting) {
  CLI::Option* option = *setting.flag == '\0' ? nullptr : app.get_option_no_throw(setting.flag);
  const bool is_sampling = std::string_view(setting.key).starts_with("sampling.");
  return option != nullptr && is_sampling && option->get_group() != "Sampling" ? nullptr : option;
}

const CLI::App& CommandAt(const CLI::App& root, std::span<const std::string> words) {
  const std::vector<const CLI::App*> below = Below(root);
  if (words.empty() || below.empty() || words.front().starts_with("-")) return root;
  const std::string& word = words.front();
  std::vector<std::string> names;
  for (const CLI::App* app : below) {
    if (app->get_name() == word) return CommandAt(*app, words.subspan(1));
    names.push_back(app->get_name());
  }
  Throw(ErrorKind::kInvalidArgument, "there is no command '{} {}'{}; see {} --help", FullName(root),
        Printable(word), DidYouMean(word, names), FullName(root));
}

void CheckNamesCommand(const CLI::App& root, std::span<const std::string> words) {
  const CLI::App& named = CommandAt(root, words);
  size_t depth = 0;
  for (const CLI::App* app = &named; app->get_parent() != nullptr; app = app->get_parent()) ++depth;
  if (depth < words.size() || Below(named).empty()) return;
  Throw(ErrorKind::kInvalidArgument, "'{}' needs a command; see {} --help", FullName(named),
        FullName(named));
}

void ThrowIfExtra(const CLI::App& root) {
  const std::vector<std::string> extras = root.remaining();
  if (!extras.empty())
    Throw(ErrorKind::kInvalidArgument, "{}; see {} --help", TextOfExtra(root, extras.front()),
          FullName(root));
  for (const CLI::App* chosen : root.get_subcommands()) ThrowIfExtra(*chosen);
}

}  // namespace statelib::cli
