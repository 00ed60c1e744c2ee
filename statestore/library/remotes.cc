// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/remotes.h"

#include <algorithm>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/base/printable.h"

namespace statelib::library {

namespace {

constexpr uint64_t kFileBytesMax = 1u << 20;

std::filesystem::path PathOf(const Library& library) { return library.path() / "remotes"; }

bool HasControl(const std::string& text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void Write(Library& library, const std::vector<NamedRemote>& remotes) {
  std::string text;
  for (const NamedRemote& remote : remotes)
    text += fmt::format("{}\t{}\t{}\n", remote.name, remote.url, remote.token_file);
  WriteFileAtomically(library.repository().files(), PathOf(library), AsBytes(text));
}

/// Two that change the list at once take turns.
storage::FileLock Lock(const Library& library) {
  return storage::FileLock::Acquire(library.path() / "locks" / "remotes.lock",
                                    storage::FileLock::Mode::kExclusive,
                                    library.repository().waits());
}

}  // namespace

std::vector<NamedRemote> ListRemotes(const Library& library) {
  if (!library.repository().files().Exists(PathOf(library))) return {};
  const Bytes bytes = library.repository().files().ReadFile(PathOf(library), kFileBytesMax);
  std::string_view text = AsText(bytes);
  std::vector<NamedRemote> remotes;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const size_t first = line.find('\t');
    const size_t second = first == std::string_view::npos ? first : line.find('\t', first + 1);
    if (second == std::string_view::npos) {
      Throw(ErrorKind::kCorrupt,
            "{}: line {}: expected a name, a URL and a token file between tabs",
            PathOf(library).string(), remotes.size() + 1);
    }
    remotes.push_back({std::string(line.substr(0, first)),
                       std::string(line.substr(first + 1, second - first - 1)),
                       std::string(line.substr(second + 1))});
  }
  return remotes;
}

std::optional<NamedRemote> FindRemote(const Library& library, const std::string& name) {
  for (NamedRemote& remote : ListRemotes(library)) {
    if (remote.name == name) return std::move(remote);
  }
  return std::nullopt;
}

void RequireNoSecretIn(const std::string& url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos || url.find_first_of("@?#", scheme) == std::string::npos) return;
  Throw(ErrorKind::kInvalidArgument,
        "{}://…: a remote's address holds no secrets, so no @, ? or # in it; give a token in "
        "$STATELIB_TOKEN or in a file with --token-file",
        Escaped(url.substr(0, scheme)));
}

void AddRemote(Library& library, const NamedRemote& remote) {
  storage::CheckTag(remote.name);
  RequireNoSecretIn(remote.url);
  if (HasControl(remote.url) || HasControl(remote.token_file))
    Throw(ErrorKind::kInvalidArgument, "a control character in the address of a remote");
  const storage::FileLock lock = Lock(library);
  std::vector<NamedRemote> remotes = ListRemotes(library);
  for (const NamedRemote& there : remotes) {
    if (there.name != remote.name) continue;
    Throw(ErrorKind::kInvalidArgument,
          "there is a remote {} already, {}; remove it first with `statelib remote rm {}`",
          there.name, there.url, there.name);
  }
  const auto place = std::find_if(remotes.begin(), remotes.end(),
                                  [&](const auto& there) { return there.name > remote.name; });
  remotes.insert(place, remote);
  Write(library, remotes);
}

bool RemoveRemote(Library& library, const std::string& name) {
  const storage::FileLock lock = Lock(library);
  std::vector<NamedRemote> remotes = ListRemotes(library);
  const auto removed =
      std::erase_if(remotes, [&](const NamedRemote& remote) { return remote.name == name; });
  if (removed > 0) Write(library, remotes);
  return removed > 0;
}

}  // namespace statelib::library
