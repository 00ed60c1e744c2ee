// SPDX-License-Identifier: Apache-2.0
#include "statestore/remote/remote.h"

#include <algorithm>
#include <tuple>

#include "statestore/storage/container.h"

namespace statelib::remote {

Bytes EncodeCatalogue(const std::vector<RemoteVersion>& versions) {
  return storage::MakeHead(storage::kCatalogueFile, AsBytes(storage::SerializeCatalogue(versions)));
}

std::vector<RemoteVersion> DecodeCatalogue(ByteSpan bytes, const std::string& where) {
  const ByteSpan header = storage::CheckedHeader(storage::kCatalogueFile, bytes, where);
  if (bytes.size() != storage::HeadBytes(header.size())) {
    Throw(ErrorKind::kCorrupt, "{}: expected {} bytes, found {}", where,
          storage::HeadBytes(header.size()), bytes.size());
  }
  return storage::ParseCatalogue(header, where);
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

bool AddPublications(std::span<const Publication> publications, int64_t now_ms,
                     std::vector<RemoteVersion>* versions) {
  std::vector<RemoteVersion> result = *versions;
  for (const Publication& publication : publications) {
    const RemoteVersion* newest = NewestOf(result, publication.name, publication.tag);
    const auto found = newest == nullptr ? std::nullopt : std::optional(newest->state);
    if (found != publication.expected) return false;
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
  return true;
}

}  // namespace statelib::remote
