// SPDX-License-Identifier: Apache-2.0
#include "cli/effective_settings.h"

#include <CLI/CLI.hpp>
#include <string_view>

namespace statelib::cli {

namespace {

/// What the option that the setting is for takes by itself, as `generate` declares it.
std::string DefaultOfFlag(const CLI::App& root, const SettingDescription& setting) {
  const CLI::App* generate = root.get_subcommand("generate");
  const CLI::Option* option = generate->get_option_no_throw(setting.flag);
  return option == nullptr ? "" : option->get_default_str();
}

EffectiveSetting DefaultOf(const Context& context, const SettingDescription& setting) {
  if (std::string_view(setting.key) == "library") {
    if (!context.environment.has_default_library()) return {{}, "default"};
    return {context.environment.DefaultLibrary().string(), "default"};
  }
  const std::string text = *setting.default_text != '\0' ? setting.default_text
                           : *setting.flag == '\0'       ? ""
                                                         : DefaultOfFlag(context.root, setting);
  if (text.empty()) return {{}, "default"};
  return {text, "default"};
}

}  // namespace

EffectiveSetting EffectiveSettingOf(const Context& context, const SettingDescription& setting) {
  const std::string_view key = setting.key;
  const Environment& environment = context.environment;
  if (key == "library" && !environment.statelib_home.empty())
    return {environment.statelib_home, "$STATELIB_HOME"};
  if (key == "colour" && !environment.no_colour.empty()) return {"never", environment.no_colour};
  if (const Settings::Value* set = context.settings.Find(key))
    return {set->text, context.settings.PlaceOf(*set)};
  return DefaultOf(context, setting);
}

}  // namespace statelib::cli
