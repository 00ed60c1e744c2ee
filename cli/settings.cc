// SPDX-License-Identifier: Apache-2.0
#include "cli/settings.h"

#include <sys/stat.h>
#include <toml++/toml.h>

#include <algorithm>
#include <functional>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/base/printable.h"
#include "statestore/library/toml.h"

namespace statelib::cli {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t kFileBytesMax = 1 << 20;
constexpr const char* kTable = "sampling";
constexpr mode_t kOwnersFile = 0600;
constexpr mode_t kOwnersFolder = 0700;

std::string WhereIs(const fs::path& file, size_t line) {
  return fmt::format("{}:{}", Printable(file.string()), line);
}

/// What a value is as text; a kind that no setting has as TOML writes it.
std::string TextOf(const SettingDescription& setting, const toml::node& node) {
  const bool is_word = setting.kind != SettingKind::kCount && setting.kind != SettingKind::kNumber;
  if (const auto text = node.value_exact<std::string>())
    return is_word ? *text : fmt::format("\"{}\"", *text);
  if (const auto integer = node.value_exact<int64_t>(); integer && !is_word)
    return std::to_string(*integer);
  if (const auto number = node.value_exact<double>(); number && !is_word)
    return fmt::format("{}", *number);
  std::ostringstream out;
  node.visit([&out](const auto& it) { out << it; });
  return out.str();
}

/// Calls back with every key, its whole name, and its value.
void ForEachValue(const toml::table& table, const std::string& prefix,
                  const std::function<void(const std::string&, const toml::node&)>& visit) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (prefix.empty() && name == kTable && node.is_table())
      ForEachValue(*node.as_table(), name + ".", visit);
    else
      visit(name, node);
  }
}

void CheckValue(const SettingDescription& setting, const toml::node& node,
                const std::string& location) {
  // A table under a key of text would print as something that might pass for one.
  const bool is_scalar = node.is_string() || node.is_number();
  const bool wants_number =
      setting.kind == SettingKind::kCount || setting.kind == SettingKind::kNumber;
  if (is_scalar && node.is_number() == wants_number) return;
  Throw(ErrorKind::kInvalidArgument, "{}{}: expected {}, found {}", location, setting.key,
        setting.expected, Printable(TextOf(setting, node)));
}

/// The file as it is, "" where there is none.
std::string ReadText(const fs::path& file) {
  if (file.empty() || !FileSystem::Real().Exists(file)) return "";
  const Bytes bytes = FileSystem::Real().ReadFile(file, kFileBytesMax);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

Settings Settings::Load(const fs::path& file) { return Parse(ReadText(file), file); }

Settings Settings::Parse(std::string_view text, const fs::path& file) {
  constexpr const char* kAdvice = "; correct the line or remove it";
  Settings settings;
  settings.file_ = file;
  if (text.empty()) return settings;
  std::string location = Printable(file.string()) + ":";
  try {
    ForEachValue(
        library::ParseToml(text, file.string()), "",
        [&](const std::string& key, const toml::node& node) {
          const size_t line = node.source().begin.line;
          location = WhereIs(file, line) + ": ";
          const SettingDescription& setting = [&]() -> const SettingDescription& {
            try {
              return SettingNamed(key);
            } catch (const Error& error) {
              throw Error(error.kind(), location + error.what());
            }
          }();
          CheckValue(setting, node, location);
          settings.values_[key] = {CheckedValue(setting, TextOf(setting, node), location), line};
        });
  } catch (const Error& error) {
    throw Error(error.kind(), error.what() + std::string(kAdvice));
  }
  return settings;
}

const Settings::Value* Settings::Find(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

std::string Settings::Text(std::string_view key) const {
  const Value* value = Find(key);
  return value == nullptr ? "" : value->text;
}

std::string Settings::PlaceOf(const Value& value) const { return WhereIs(file_, value.line); }

void Settings::Change(const fs::path& file, const SettingDescription& setting,
                      const std::optional<std::string>& value) {
  FileSystem& files = FileSystem::Real();
  const std::string text = Edited(ReadText(file), setting, value, file);
  struct stat old {};
  const bool was_there = ::stat(file.c_str(), &old) == 0;
  if (file.has_parent_path()) files.CreateDirectories(file.parent_path(), kOwnersFolder);
  WriteFileAtomically(files, file, AsBytes(text),
                      was_there ? old.st_mode & mode_t{07777} : kOwnersFile);
}

}  // namespace statelib::cli
