// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/effective_settings.h"

namespace statelib::cli {

namespace {

class ConfigSetCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("SETTING", &key_, "Which one, as sampling.top-k",
                         {.shown_as = "SETTING", .required = true});
    declaration.Argument("VALUE", &value_, "What it is to be from now on",
                         {.shown_as = "VALUE", .required = true});
    AddJsonOption(declaration, shared);
    std::string settings = "\nSettings:\n";
    for (const SettingDescription& setting : AllSettings())
      settings += fmt::format("  {:<28}{}\n", setting.key, setting.help);
    declaration.Examples(
        "  statelib config set library ~/books\n"
        "  statelib config set remote team\n"
        "  statelib config set sampling.temperature 0.7\n" +
        settings);
  }

  void Run(Context& context) override {
    const SettingDescription& setting = SettingNamed(key_);
    const std::string value = CheckedValue(setting, value_, "");
    const std::filesystem::path file = context.environment.ConfigDirectory() / "config.toml";
    Settings::Change(file, setting, value);
    const EffectiveSetting effective = EffectiveSettingOf(context, setting);
    if (effective.from.starts_with("$"))
      context.notes.Add(Notes::Kind::kNote,
                        fmt::format("{} is set and wins over it", effective.from));
    if (context.options.json)
      return context.PrintJson({{"key", setting.key}, {"value", value}, {"file", file.string()}});
    context.Tell(Shown::Format("{}: {} in {}\n", context.out.Paint(Colour::kBold, setting.key),
                               value, file.string()),
                 value);
  }

 private:
  std::string key_;
  std::string value_;
};

}  // namespace

std::unique_ptr<Command> MakeConfigSetCommand() { return std::make_unique<ConfigSetCommand>(); }

}  // namespace statelib::cli
