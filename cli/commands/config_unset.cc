// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "core/base/error.h"

namespace statelib::cli {

namespace {

class ConfigUnsetCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("SETTING", &key_, "Which one, as sampling.top-k",
                         {.shown_as = "SETTING", .required = true});
    AddJsonOption(declaration, shared);
    declaration.Examples("  statelib config unset sampling.temperature\n");
  }

  void Run(Context& context) override {
    const SettingDescription& setting = SettingNamed(key_);
    const std::filesystem::path& file = context.settings.file();
    if (context.settings.Find(key_) == nullptr)
      Throw(ErrorKind::kNotFound,
            "{} is not set in {}; `statelib config list` says where it comes "
            "from",
            setting.key, file.empty() ? "config.toml" : file.string());
    Settings::Change(file, setting, std::nullopt);
    if (context.options.json)
      return context.PrintJson({{"key", setting.key}, {"file", file.string()}});
    context.Tell(Shown::Format("{}: no longer set in {}\n",
                               context.out.Paint(Colour::kBold, setting.key), file.string()),
                 setting.key);
  }

 private:
  std::string key_;
};

}  // namespace

std::unique_ptr<Command> MakeConfigUnsetCommand() { return std::make_unique<ConfigUnsetCommand>(); }

}  // namespace statelib::cli
