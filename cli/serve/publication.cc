// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/publication.h"

#include "core/base/error.h"

namespace statelib::cli {

namespace {

constexpr size_t kIdBytes = sizeof(Digest::bytes);

}  // namespace

std::vector<IncomingVersion> ParsePublication(ByteSpan body, int64_t now_ms) {
  std::vector<IncomingVersion> entries;
  while (!body.empty()) {
    if (body.size() < kIdBytes + 4) Throw(ErrorKind::kCorrupt, "a publication that was cut short");
    const Digest expected = *Digest::FromBytes(body.first(kIdBytes));
    const auto size = LoadLittle<uint32_t>(body.data() + kIdBytes);
    body = body.subspan(kIdBytes + 4);
    if (size > body.size()) Throw(ErrorKind::kCorrupt, "a publication that was cut short");
    const ByteSpan bytes = body.first(size);
    body = body.subspan(size);
    IncomingVersion entry{{}, storage::DecodeManifest(bytes, "manifest"), {}};
    if (entry.manifest.manifest.references.size() != 1)
      Throw(ErrorKind::kInvalidArgument, "a manifest of other than one version");
    if (expected != Digest{}) entry.expected = expected;
    entry.origin = {"push", bytes.size(), HashOf(bytes), 0, now_ms};
    entries.push_back(std::move(entry));
  }
  if (entries.empty()) Throw(ErrorKind::kInvalidArgument, "a publication of nothing");
  return entries;
}

}  // namespace statelib::cli
