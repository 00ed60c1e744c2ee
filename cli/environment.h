// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_ENVIRONMENT_H_
#define STATELIB_CLI_ENVIRONMENT_H_

#include <filesystem>
#include <string>

namespace statelib::cli {

/// What the process was started with: every environment variable that statelib reads, read here and
/// nowhere else. A plain value; empty means not set.
struct Environment {
  std::string statelib_home;
  std::string xdg_data_home;
  std::string xdg_config_home;
  std::string home;
  std::string no_colour;  ///< what forbids colours: "$NO_COLOR", "$TERM"
  int columns = 0;        ///< $COLUMNS, 0 when not set or no number

  static Environment FromProcess();

  /// Whether DefaultLibrary() has an answer.
  bool has_default_library() const {
    return !(statelib_home.empty() && xdg_data_home.empty() && home.empty());
  }
  /// $STATELIB_HOME, else $XDG_DATA_HOME/statelib, else ~/.local/share/statelib.
  /// Errors: kInvalidArgument when none of the three is set.
  std::filesystem::path DefaultLibrary() const;
  /// A path with the home folder in the place of a first ~. Errors: kInvalidArgument where that is
  /// not known.
  std::filesystem::path Expanded(const std::string& path) const;
  /// $XDG_CONFIG_HOME/statelib, else ~/.config/statelib: what belongs to the user and to no
  /// library. Errors: kInvalidArgument when neither is set.
  std::filesystem::path ConfigDirectory() const;
  /// config.toml in it; empty where there is no place for it.
  std::filesystem::path ConfigFile() const;
};

/// The demo model's folder: beside the installed program (share/statelib/models/demo), or in the
/// source tree for a program that was built and not installed. Where it is in neither, the first.
std::filesystem::path DemoModelDirectory();
/// The folder of the tokenizers that come with the program, found in the same way.
std::filesystem::path ShippedTokenizersDirectory();
/// The folder of the example documents, beside the models.
std::filesystem::path ExampleDocumentsDirectory();

/// A program that this one starts: beside it where it was built and not installed, else in libexec.
std::filesystem::path HelperProgram(const char* name);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_ENVIRONMENT_H_
