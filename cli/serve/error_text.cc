// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/error_text.h"

#include <algorithm>
#include <string_view>
#include <system_error>

namespace statelib::cli {

namespace {

void Replace(std::string& text, std::string_view what, std::string_view with) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

/// Whether a path may begin behind this character: names of states have a slash within them, never
/// at their beginning.
bool MayStandBefore(char c) {
  return std::string_view(" \t\"'`(<[{=:,;").find(c) != std::string::npos;
}

}  // namespace

std::string WithoutPaths(std::string message, const std::filesystem::path& library) {
  std::error_code ignored;
  for (const std::filesystem::path& path :
       {library, std::filesystem::canonical(library, ignored)}) {
    std::string folder = path.string();
    while (folder.ends_with("/")) folder.pop_back();
    if (folder.empty()) continue;
    Replace(message, folder + "/", "");
    Replace(message, folder, "the library");
  }
  std::string clean;
  for (size_t at = 0; at < message.size();) {
    const bool begins = message[at] == '/' && (at == 0 || MayStandBefore(message[at - 1]));
    const size_t end = std::min(message.find_first_of(" \t\"'`,;:)>]}", at), message.size());
    if (!begins || end == at + 1) {
      clean += message[at++];
      continue;
    }
    clean += "(a file)";
    at = end;
  }
  return clean;
}

}  // namespace statelib::cli
