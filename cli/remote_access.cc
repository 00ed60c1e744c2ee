// SPDX-License-Identifier: Apache-2.0
#include "cli/remote_access.h"

#include <fmt/ranges.h>

#include <cctype>

#include "cli/explain.h"
#include "cli/network.h"
#include "core/base/error.h"
#include "core/base/nearest_names.h"
#include "core/base/printable.h"
#include "statestore/library/remotes.h"
#include "statestore/remote/folder_remote.h"
#include "statestore/storage/reference.h"

namespace statelib::cli {

namespace {

constexpr std::string_view kFileScheme = "file://";
constexpr std::string_view kSchemes[] = {"http://", "https://", "s3://"};

bool IsFolder(const std::string& text) { return text.find("://") == std::string::npos; }

library::NamedRemote Find(const library::Library* library, const std::string& text) {
  if (text.find('/') != std::string::npos) return {"", RemoteUrl(text), ""};
  if (library != nullptr) {
    if (const auto remote = library::FindRemote(*library, text)) return *remote;
  }
  std::error_code ignored;
  if (std::filesystem::is_directory(text, ignored)) return {"", RemoteUrl(text), ""};
  if (library == nullptr) {
    Throw(ErrorKind::kNotFound,
          "there is no library that could know the remote {}; give its address or folder instead",
          Escaped(text));
  }
  std::vector<std::string> names;
  for (const library::NamedRemote& remote : library::ListRemotes(*library))
    names.push_back(remote.name);
  if (names.empty()) {
    Throw(ErrorKind::kNotFound,
          "there is no remote and no folder {}, and no other remote; `statelib remote add {} URL` "
          "adds it",
          Escaped(text), Escaped(text));
  }
  Throw(ErrorKind::kNotFound, "there is no remote and no folder {}{}; there are {}", Escaped(text),
        DidYouMean(text, names), fmt::join(names, ", "));
}

/// The last part of a folder or an address, as a name can hold it.
std::string NameFromUrl(const std::string& url) {
  std::string rest = url;
  if (const size_t scheme = rest.find("://"); scheme != std::string::npos) {
    rest = rest.substr(scheme + 3);
    if (!url.starts_with("s3:")) rest = rest.substr(0, rest.find_first_of("/:"));
  }
  while (rest.ends_with("/")) rest.pop_back();
  rest = rest.substr(rest.rfind('/') + 1);
  for (char& c : rest) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '_';
    if (!plain) c = '-';
  }
  rest.erase(0, rest.find_first_not_of("._-"));
  return rest.empty() ? "remote" : rest;
}

/// Whether it names a remote that the library knows, a folder or an address.
bool IsRemote(const library::Library* library, const std::string& text) {
  std::error_code ignored;
  return text.find("://") != std::string::npos || std::filesystem::is_directory(text, ignored) ||
         (library != nullptr && library::FindRemote(*library, text));
}

}  // namespace

void AddRemoteArguments(Declaration& declaration, RemoteArguments& arguments,
                        const std::string& names_help) {
  declaration.Argument("REMOTE", &arguments.remote,
                       "A remote's name, folder or address (default: `remote` of the settings)",
                       {.shown_as = "REMOTE"});
  declaration.Argument("NAME", &arguments.names, names_help, {.shown_as = "NAME[:TAG][@N]"});
}

void TakeRemoteOfSettings(const Context& context, const library::Library* library,
                          RemoteArguments& arguments) {
  const std::string set = context.settings.Text("remote");
  const std::string& given = arguments.remote;
  if (set.empty() && given.empty())
    Throw(ErrorKind::kInvalidArgument,
          "no remote was named; name one, or choose one for every time with `statelib config set "
          "remote REMOTE`");
  if (set.empty() || IsRemote(library, given)) return;
  if (!given.empty()) arguments.names.insert(arguments.names.begin(), given);
  arguments.remote = set;
  ExplainRemote(context, arguments.remote);
}

std::string RemoteUrl(const std::string& text) {
  if (text.empty()) Throw(ErrorKind::kInvalidArgument, "a remote needs a folder or an address");
  if (text.starts_with(kFileScheme)) return RemoteUrl(text.substr(kFileScheme.size()));
  if (IsFolder(text)) return std::filesystem::absolute(text).lexically_normal().string();
  library::RequireNoSecretIn(text);
  for (const std::string_view scheme : kSchemes) {
    if (text.starts_with(scheme)) return text;
  }
  Throw(ErrorKind::kInvalidArgument, "{}: expected a folder or an address that begins with {}",
        Escaped(text), fmt::join(kSchemes, ", "));
}

void CheckFolder(const std::string& url) {
  if (IsFolder(url)) remote::OpenFolderRemote(url);
}

std::string RemoteName(const library::Library& library, const std::string& text) {
  const library::NamedRemote found = Find(&library, text);
  if (!found.name.empty()) return found.name;
  for (const library::NamedRemote& remote : library::ListRemotes(library)) {
    if (remote.url == found.url) return remote.name;
  }
  return NameFromUrl(found.url);
}

std::unique_ptr<remote::Remote> OpenRemote(const Context& context, const library::Library* library,
                                           const std::string& text) {
  const library::NamedRemote found = Find(library, text);
  library::RequireNoSecretIn(found.url);  // somebody may have written it into the library's file
  return IsFolder(found.url) ? remote::OpenFolderRemote(found.url)
                             : OpenNetworkRemote(context, found);
}

}  // namespace statelib::cli
