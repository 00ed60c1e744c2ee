// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/effective_settings.h"
#include "core/base/error.h"

namespace statelib::cli {

namespace {

class ConfigGetCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("SETTING", &key_, "Which one, as sampling.top-k",
                         {.shown_as = "SETTING", .required = true});
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib config get library\n"
        "  statelib config get sampling.temperature --json\n");
  }

  bool describes_others() const override { return true; }  // for the defaults of their options

  void Run(Context& context) override {
    const SettingDescription& setting = SettingNamed(key_);
    const EffectiveSetting effective = EffectiveSettingOf(context, setting);
    if (!effective.value)
      Throw(ErrorKind::kNotFound, "{} is not set; `statelib config set {} VALUE` sets it",
            setting.key, setting.key);
    if (context.options.json)
      return context.PrintJson(
          {{"key", setting.key}, {"value", *effective.value}, {"from", effective.from}});
    context.out.Print("{}\n", *effective.value);
  }

 private:
  std::string key_;
};

}  // namespace

std::unique_ptr<Command> MakeConfigGetCommand() { return std::make_unique<ConfigGetCommand>(); }

}  // namespace statelib::cli
