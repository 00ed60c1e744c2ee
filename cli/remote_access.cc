// SPDX-License-Identifier: Apache-2.0
#include "cli/remote_access.h"

#include <fmt/ranges.h>

#include "cli/network.h"
#include "core/base/error.h"
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
  if (library == nullptr) {
    Throw(ErrorKind::kNotFound,
          "there is no library that could know the remote {}; give its address or folder instead",
          storage::Escaped(text));
  }
  if (const auto remote = library::FindRemote(*library, text)) return *remote;
  std::vector<std::string> names;
  for (const library::NamedRemote& remote : library::ListRemotes(*library))
    names.push_back(remote.name);
  if (names.empty()) {
    Throw(ErrorKind::kNotFound,
          "there is no remote {}, and no other; `statelib remote add {} URL` adds it",
          storage::Escaped(text), storage::Escaped(text));
  }
  Throw(ErrorKind::kNotFound, "there is no remote {}; there are {}", storage::Escaped(text),
        fmt::join(names, ", "));
}

}  // namespace

std::string RemoteUrl(const std::string& text) {
  if (text.empty()) Throw(ErrorKind::kInvalidArgument, "a remote needs a folder or an address");
  if (text.starts_with(kFileScheme)) return RemoteUrl(text.substr(kFileScheme.size()));
  if (IsFolder(text)) return std::filesystem::absolute(text).lexically_normal().string();
  library::RequireNoSecretIn(text);
  for (const std::string_view scheme : kSchemes) {
    if (text.starts_with(scheme)) return text;
  }
  Throw(ErrorKind::kInvalidArgument, "{}: expected a folder or an address that begins with {}",
        storage::Escaped(text), fmt::join(kSchemes, ", "));
}

std::unique_ptr<remote::Remote> OpenRemote(const Context& context, const library::Library* library,
                                           const std::string& text) {
  const library::NamedRemote found = Find(library, text);
  library::RequireNoSecretIn(found.url);  // somebody may have written it into the library's file
  return IsFolder(found.url) ? remote::OpenFolderRemote(found.url)
                             : OpenNetworkRemote(context, found);
}

}  // namespace statelib::cli
