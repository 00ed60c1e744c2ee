// SPDX-License-Identifier: Apache-2.0
#include "statestore/remote/remote.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "core/base/error.h"
#include "statestore/storage/file_head.h"
#include "statestore/storage/reference.h"

namespace statelib::remote {

Bytes EncodeCatalogue(const std::vector<RemoteVersion>& versions) {
  return storage::MakeHead(storage::kCatalogueFile, AsBytes(storage::SerializeCatalogue(versions)));
}

std::vector<RemoteVersion> DecodeCatalogue(ByteSpan bytes, const std::string& location) {
  const ByteSpan header = storage::CheckedHeader(storage::kCatalogueFile, bytes, location);
  if (bytes.size() != storage::HeadBytes(header.size())) {
    Throw(ErrorKind::kCorrupt, "{}: expected {} bytes, found {}", location,
          storage::HeadBytes(header.size()), bytes.size());
  }
  return storage::ParseCatalogue(header, location);
}

const RemoteVersion* NewestOf(const std::vector<RemoteVersion>& versions, const std::string& name,
                              const std::string& tag) {
  const auto after = std::upper_bound(versions.begin(), versions.end(), std::tie(name, tag),
                                      [](const auto& wanted, const RemoteVersion& version) {
                                        return wanted < std::tie(version.name, version.tag);
                                      });
  if (after == versions.begin()) return nullptr;
  const RemoteVersion& last = *std::prev(after);
  return last.name == name && last.tag == tag ? &last : nullptr;
}

bool Has(const std::vector<RemoteVersion>& versions, const std::string& name,
         const std::string& tag, const StateId& state) {
  return std::any_of(versions.begin(), versions.end(), [&](const RemoteVersion& version) {
    return version.name == name && version.tag == tag && version.state == state;
  });
}

void CheckGoesOn(const Publication& publication, const RemoteVersion* newest,
                 const std::string& location) {
  if (newest == nullptr || !publication.had) return;
  const std::vector<StateId>& had = *publication.had;
  if (std::find(had.begin(), had.end(), newest->state) != had.end()) return;
  const auto text = [&](uint64_t number) {
    return storage::Reference{publication.name, publication.tag, number}.Text();
  };
  Throw(ErrorKind::kMismatch,
        "{}{} there (state {}, {} tokens) is no version that the library of {} here (state {}, {} "
        "tokens) has had, and the push would supersede it; get it with `statelib pull` to keep "
        "both, or push with --force",
        location.empty() ? "" : location + ": ", text(newest->number), newest->state.ShortHex(),
        newest->token_count, text(publication.number), publication.state.ShortHex(),
        publication.token_count);
}

void AddPublications(std::span<const Publication> publications, int64_t now_ms,
                     const std::string& location, std::vector<RemoteVersion>* versions) {
  std::vector<RemoteVersion> result = *versions;
  std::set<std::pair<std::string, std::string>> names;
  for (const Publication& publication : publications) {
    const RemoteVersion* newest = NewestOf(result, publication.name, publication.tag);
    if (names.emplace(publication.name, publication.tag).second)
      CheckGoesOn(publication, newest, location);
    if (Has(result, publication.name, publication.tag, publication.state)) continue;
    const uint64_t number = newest == nullptr ? 1 : newest->number + 1;
    RemoteVersion version{publication.name,
                          publication.tag,
                          number,
                          publication.state,
                          publication.token_count,
                          now_ms,
                          HashOf(publication.manifest),
                          publication.manifest.size()};
    const auto place =
        std::upper_bound(result.begin(), result.end(), version, [](const auto& a, const auto& b) {
          return std::tie(a.name, a.tag, a.number) < std::tie(b.name, b.tag, b.number);
        });
    result.insert(place, std::move(version));
  }
  *versions = std::move(result);
}

}  // namespace statelib::remote
