// SPDX-License-Identifier: Apache-2.0
#include "cli/environment.h"

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "cli/network_environment.h"
#include "core/base/error.h"

namespace statelib::cli {

namespace fs = std::filesystem;

namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string FirstOf(const char* name, const char* other) {
  const std::string value = Variable(name);
  return value.empty() ? Variable(other) : value;
}

int PositiveNumber(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number > 0 ? number : 0;
}

/// A folder that comes with the program; `file` in it tells whether it is there.
fs::path DataDirectory(const fs::path& name, const fs::path& file) {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed =
      (program.parent_path() / STATELIB_DATA_DIR_FROM_BIN / name).lexically_normal();
  const fs::path source = fs::path(STATELIB_SOURCE_DATA_DIR) / name;
  const auto is_there = [&file](const fs::path& directory) {
    std::error_code ignored;
    return fs::is_regular_file(directory / file, ignored);
  };
  return !error && !is_there(installed) && is_there(source) ? source : installed;
}

}  // namespace

Environment Environment::FromProcess() {
  Environment environment;
  environment.statelib_home = Variable("STATELIB_HOME");
  environment.xdg_data_home = Variable("XDG_DATA_HOME");
  environment.xdg_config_home = Variable("XDG_CONFIG_HOME");
  environment.home = Variable("HOME");
  if (Variable("TERM") == "dumb") environment.no_colour = "$TERM";
  if (!Variable("NO_COLOR").empty()) environment.no_colour = "$NO_COLOR";
  environment.columns = PositiveNumber(Variable("COLUMNS"));
  return environment;
}

NetworkEnvironment NetworkEnvironment::FromProcess() {
  return {.statelib_token = Variable("STATELIB_TOKEN"),
          .aws_access_key_id = Variable("AWS_ACCESS_KEY_ID"),
          .aws_secret_access_key = Variable("AWS_SECRET_ACCESS_KEY"),
          .aws_session_token = Variable("AWS_SESSION_TOKEN"),
          .aws_region = FirstOf("AWS_REGION", "AWS_DEFAULT_REGION"),
          .aws_endpoint_url = FirstOf("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")};
}

fs::path Environment::DefaultLibrary() const {
  if (!statelib_home.empty()) return statelib_home;
  // The XDG specification tells programs to ignore a relative path there.
  if (fs::path(xdg_data_home).is_absolute()) return fs::path(xdg_data_home) / "statelib";
  if (!home.empty()) return fs::path(home) / ".local" / "share" / "statelib";
  Throw(ErrorKind::kInvalidArgument,
        "no place for the library: none of STATELIB_HOME, XDG_DATA_HOME and HOME is set; name a "
        "folder with --library");
}

fs::path Environment::Expanded(const std::string& path) const {
  if (!path.starts_with("~/")) return path;
  if (home.empty())
    Throw(ErrorKind::kInvalidArgument, "{}: HOME is not set; set it, or give the whole path", path);
  return fs::path(home) / path.substr(2);
}

fs::path Environment::ConfigDirectory() const {
  if (fs::path(xdg_config_home).is_absolute()) return fs::path(xdg_config_home) / "statelib";
  if (!home.empty()) return fs::path(home) / ".config" / "statelib";
  Throw(ErrorKind::kInvalidArgument,
        "no place for keys and settings: neither XDG_CONFIG_HOME nor HOME is set; set one of them");
}

fs::path Environment::ConfigFile() const {
  const bool has_place = fs::path(xdg_config_home).is_absolute() || !home.empty();
  return has_place ? ConfigDirectory() / "config.toml" : fs::path();
}

fs::path DemoModelDirectory() { return DataDirectory("models/demo", "config.json"); }

fs::path ShippedTokenizersDirectory() {
  return DataDirectory("tokenizers", "gpt-neox-20b/tokenizer.json");
}

fs::path ExampleDocumentsDirectory() {
  return DemoModelDirectory().parent_path().parent_path() / "documents";
}

fs::path HelperProgram(const char* name) {
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  if (fs::exists(folder / name, error)) return folder / name;
  return (folder / STATELIB_LIBEXEC_DIR_FROM_BIN / name).lexically_normal();
}

}  // namespace statelib::cli
