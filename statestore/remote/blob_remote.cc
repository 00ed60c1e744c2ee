// SPDX-License-Identifier: Apache-2.0
#include "statestore/remote/blob_remote.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "statestore/storage/limits.h"

namespace statelib::remote {

namespace {

constexpr const char* kMarkerPath = "statelib-remote";
constexpr const char* kMarker = "statelib remote 1\n";
/// How many old catalogues stay, for readers who have just learnt the number of one.
constexpr size_t kCataloguesKept = 16;

std::string HashedPath(const char* folder, const Digest& id) {
  const std::string name = id.Hex();
  return fmt::format("{}/{}/{}", folder, name.substr(0, 2), name);
}

std::string ObjectPath(const ObjectId& id) { return HashedPath("objects", id); }
std::string ManifestPath(const Digest& id) { return HashedPath("manifests", id); }
std::string CataloguePath(uint64_t number) { return fmt::format("catalogues/{:020}", number); }

/// Whether a catalogue, which is sorted, has every version of another one.
bool Holds(const std::vector<RemoteVersion>& all, const std::vector<RemoteVersion>& some) {
  const auto key = [](const RemoteVersion& version) {
    return std::tie(version.name, version.tag, version.number, version.manifest);
  };
  return std::includes(all.begin(), all.end(), some.begin(), some.end(),
                       [&](const auto& a, const auto& b) { return key(a) < key(b); });
}

}  // namespace

Bytes BlobRemote::ReadWhole(const std::string& path, uint64_t bytes_max) {
  Bytes bytes;
  store_->Read(path, 0, [&](ByteSpan piece) {
    if (piece.size() > bytes_max - bytes.size())
      Throw(ErrorKind::kCorrupt, "{}/{}: more than {} bytes", location(), path, bytes_max);
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  });
  return bytes;
}

std::vector<uint64_t> BlobRemote::CatalogueNumbers() {
  std::vector<uint64_t> numbers;
  for (const std::string& name : store_->List("catalogues")) {
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && number > 0 && CataloguePath(number) == "catalogues/" + name)
      numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

BlobRemote::Catalogue BlobRemote::ReadCatalogue() {
  // The newest one may have been replaced and removed between the listing and the reading.
  for (int attempt = 0;; ++attempt) {
    const std::vector<uint64_t> numbers = CatalogueNumbers();
    if (numbers.empty()) {
      if (store_->Size(kMarkerPath)) Prepare();  // refuses a version that is not known
      return {};
    }
    const std::string path = CataloguePath(numbers.back());
    try {
      const Bytes bytes = ReadWhole(path, storage::kManifestBytesMax + 1024);
      return {numbers.back(), DecodeCatalogue(bytes, location() + "/" + path)};
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kNotFound || attempt == 3) throw;
    }
  }
}

std::vector<RemoteVersion> BlobRemote::List() { return ReadCatalogue().versions; }

Bytes BlobRemote::GetManifest(const RemoteVersion& version) {
  if (!version.manifest) {
    Throw(ErrorKind::kCorrupt, "{}: {}:{}@{} has no manifest", location(), version.name,
          version.tag, version.number);
  }
  Bytes bytes = ReadWhole(ManifestPath(*version.manifest), version.manifest_bytes);
  const Digest found = HashOf(bytes);
  if (found != *version.manifest) {
    Throw(ErrorKind::kCorrupt, "{}: damaged manifest of {}:{}@{}: expected hash {}, found {}",
          location(), version.name, version.tag, version.number, version.manifest->ShortHex(),
          found.ShortHex());
  }
  return bytes;
}

std::vector<bool> BlobRemote::HasObjects(std::span<const TransferObject> objects) {
  std::vector<bool> has;
  for (const TransferObject& object : objects)
    has.push_back(store_->Size(ObjectPath(object.id)) == object.size_bytes);
  return has;
}

void BlobRemote::GetObject(const TransferObject& object, uint64_t offset, const Sink& sink) {
  store_->Read(ObjectPath(object.id), offset, sink);
}

void BlobRemote::PutObject(const TransferObject& object, const ByteSource& bytes) {
  Prepare();
  if (HashOf(bytes) != object.id)
    Throw(ErrorKind::kCorrupt, "object {}: its bytes are others", object.id.ShortHex());
  store_->Write(ObjectPath(object.id), bytes);
}

void BlobRemote::Prepare() {
  if (!store_->Size(kMarkerPath)) store_->WriteNew(kMarkerPath, AsBytes(kMarker));
  const Bytes marker = ReadWhole(kMarkerPath, 256);
  if (AsText(marker) == kMarker) return;
  Throw(ErrorKind::kUnsupported,
        "{}: expected a remote of version 1, found one that says \"{}\"; use a statelib that knows "
        "it",
        location(), Escaped(AsText(marker)));
}

bool BlobRemote::Publish(std::span<const Publication> publications, int64_t now_ms) {
  Prepare();
  for (const Publication& publication : publications) {
    const std::string path = ManifestPath(HashOf(publication.manifest));
    if (store_->Size(path) != publication.manifest.size())
      store_->Write(path, MemorySource(publication.manifest));
  }
  Catalogue catalogue = ReadCatalogue();
  AddPublications(publications, now_ms, location(), &catalogue.versions);
  const uint64_t number = catalogue.number + 1;
  if (!store_->WriteNew(CataloguePath(number), EncodeCatalogue(catalogue.versions))) return false;
  const std::vector<uint64_t> numbers = CatalogueNumbers();
  for (size_t i = 0; i + kCataloguesKept < numbers.size(); ++i)
    store_->Remove(CataloguePath(numbers[i]));
  // Who was asleep since reading may have written a number that others had removed as old by now.
  // Nothing that reads takes that for the newest, and the newest does not build on it.
  return (!numbers.empty() && numbers.back() == number) ||
         Holds(ReadCatalogue().versions, catalogue.versions);
}

}  // namespace statelib::remote
