// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/publication.h"

#include <utility>

#include "core/base/error.h"
#include "statestore/remote/http_status.h"

namespace statelib::cli {

namespace {

/// Takes a publication's body apart.
class PublicationReader {
 public:
  explicit PublicationReader(ByteSpan body) : rest_(body) {}

  bool done() const { return rest_.empty(); }
  ByteSpan Take(size_t size) {
    if (size > rest_.size()) Throw(ErrorKind::kCorrupt, "a publication that was cut short");
    const ByteSpan taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  uint32_t TakeNumber() { return LoadLittle<uint32_t>(Take(4).data()); }
  std::optional<std::vector<storage::StateId>> TakeHad() {
    const uint32_t count = TakeNumber();
    if (count == remote::kWhateverIsThere) return std::nullopt;
    std::vector<storage::StateId> had;
    for (uint32_t i = 0; i < count; ++i)
      had.push_back(*Digest::FromBytes(Take(sizeof(Digest::bytes))));
    return had;
  }

 private:
  ByteSpan rest_;
};

}  // namespace

std::vector<IncomingVersion> ParsePublication(ByteSpan body, int64_t now_ms) {
  std::vector<IncomingVersion> entries;
  for (PublicationReader reader(body); !reader.done();) {
    auto had = reader.TakeHad();
    const ByteSpan bytes = reader.Take(reader.TakeNumber());
    IncomingVersion entry{std::move(had), storage::DecodeManifest(bytes, "manifest"), {}};
    if (entry.manifest.manifest.references.size() != 1)
      Throw(ErrorKind::kInvalidArgument, "a manifest of other than one version");
    entry.origin = {"push", bytes.size(), HashOf(bytes), 0, now_ms};
    entries.push_back(std::move(entry));
  }
  if (entries.empty()) Throw(ErrorKind::kInvalidArgument, "a publication of nothing");
  return entries;
}

}  // namespace statelib::cli
