// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_EFFECTIVE_SETTINGS_H_
#define STATELIB_CLI_EFFECTIVE_SETTINGS_H_

#include <optional>
#include <string>

#include "cli/command.h"

namespace statelib::cli {

/// What a setting comes to when no flag says otherwise.
struct EffectiveSetting {
  std::optional<std::string> value;  ///< empty: none, not even by default
  std::string from;                  ///< "default", "$STATELIB_HOME", "/…/config.toml:3"
};

/// Errors: none; a default place of the library that is not known is no value.
EffectiveSetting EffectiveSettingOf(const Context& context, const SettingDescription& setting);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_EFFECTIVE_SETTINGS_H_
