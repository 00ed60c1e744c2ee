// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/effective_settings.h"
#include "cli/terminal/table.h"

namespace statelib::cli {

namespace {

class ConfigListCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib config list\n"
        "  statelib config list --json\n");
  }

  bool describes_others() const override { return true; }  // for the defaults of their options

  void Run(Context& context) override {
    if (context.options.json) return PrintAsJson(context);
    if (context.options.quiet) {
      for (const SettingDescription& setting : AllSettings()) context.PrintName(setting.key);
      return;
    }
    Table table({{"SETTING", Align::kLeft, false, Colour::kBold},
                 {"VALUE", Align::kLeft, true},
                 {"FROM", Align::kLeft, true}});
    for (const SettingDescription& setting : AllSettings()) {
      const EffectiveSetting effective = EffectiveSettingOf(context, setting);
      table.Add({setting.key, effective.value.value_or("-"),
                 std::filesystem::path(effective.from).filename().string()});
    }
    table.Print(context.out);
  }

 private:
  static void PrintAsJson(const Context& context) {
    Json list = Json::array();
    for (const SettingDescription& setting : AllSettings()) {
      const EffectiveSetting effective = EffectiveSettingOf(context, setting);
      list.push_back({{"key", setting.key},
                      {"value", effective.value ? Json(*effective.value) : Json(nullptr)},
                      {"from", effective.from}});
    }
    context.PrintJson({{"file", context.environment.ConfigFile().string()}, {"settings", list}});
  }
};

}  // namespace

std::unique_ptr<Command> MakeConfigListCommand() { return std::make_unique<ConfigListCommand>(); }

}  // namespace statelib::cli
