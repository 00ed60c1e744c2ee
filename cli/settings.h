// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SETTINGS_H_
#define STATELIB_CLI_SETTINGS_H_

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What a user has set once for every command, in config.toml. A flag wins over an environment
// variable, that over the file, the file over the default.
namespace statelib::cli {

enum class SettingKind {
  kText,
  kFolder,  ///< an absolute path, or one that begins with ~/
  kCount,   ///< a whole number
  kNumber,
  kChoice
};

/// One setting that there is. Texts are static.
struct SettingDescription {
  const char* key;   ///< "library", "sampling.top-k"
  const char* flag;  ///< whose value it is where that is not given; "" for none
  SettingKind kind;
  const char* expected;  ///< for messages: "a whole number from 0 to 1024"
  double lowest;         ///< of a number
  double highest;
  const char* default_text;  ///< "": the flag's, or none
  const char* help;          ///< one line
};

/// Every setting, in the order of `statelib config list`.
std::span<const SettingDescription> AllSettings();
/// Errors: kInvalidArgument for a key that is none, with the nearest.
const SettingDescription& SettingNamed(std::string_view key);
/// The words that a kChoice takes.
std::span<const char* const> ColourChoices();

/// A value in the one form that flags take. Errors: kInvalidArgument that says what was expected
/// and found; `location` is what the message begins with.
std::string CheckedValue(const SettingDescription& setting, const std::string& text,
                         const std::string& location);

/// The settings of one file. A plain value.
class Settings {
 public:
  struct Value {
    std::string text;  ///< as CheckedValue gives it
    size_t line = 0;
  };

  /// None.
  Settings() = default;
  /// Those of a file; none where it is not there. Errors: kInvalidArgument, with file, line, key,
  /// what was expected, what was found and what to do; kCorrupt for one that is too long; kIo.
  static Settings Load(const std::filesystem::path& file);
  /// Errors: as Load.
  static Settings Parse(std::string_view text, const std::filesystem::path& file);

  const std::filesystem::path& file() const { return file_; }
  /// Null: not set.
  const Value* Find(std::string_view key) const;
  /// "" where it is not set.
  std::string Text(std::string_view key) const;
  /// "/home/me/.config/statelib/config.toml:3".
  std::string PlaceOf(const Value& value) const;

  /// The text of the file with one value set to what CheckedValue gave, or, for nothing, without
  /// it; every other line stays as it is. Errors: kInvalidArgument for a file that is written in
  /// such a way that a person has to change it.
  static std::string Edited(const std::string& text, const SettingDescription& setting,
                            const std::optional<std::string>& value,
                            const std::filesystem::path& file);
  /// Does that to the file, which is replaced as a whole and keeps its permissions; a new one is
  /// its owner's alone, and so is a new folder. Errors: those of Load, Edited and FileSystem.
  static void Change(const std::filesystem::path& file, const SettingDescription& setting,
                     const std::optional<std::string>& value);

 private:
  std::filesystem::path file_;
  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SETTINGS_H_
