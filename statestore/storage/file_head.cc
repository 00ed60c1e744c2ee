// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/file_head.h"

#include <cstring>

#include "core/base/copy_bytes.h"
#include "core/base/error.h"

namespace statelib::storage {

Bytes MakeHead(const FileKind& kind, uint32_t version, ByteSpan header) {
  Bytes head(HeadBytes(header.size()));
  std::memcpy(head.data(), kind.magic.data(), kind.magic.size());
  StoreLittle(version, head.data() + 8);
  StoreLittle(static_cast<uint32_t>(header.size()), head.data() + 12);
  CopyBytes(header, std::span(head).subspan(kPreludeBytes, header.size()));
  const size_t hashed = kPreludeBytes + header.size();
  const Digest digest = HashOf(ByteSpan(head).first(hashed));
  std::memcpy(head.data() + hashed, digest.bytes.data(), digest.bytes.size());
  return head;
}

uint32_t HeaderBytesOf(const FileKind& kind, ByteSpan first_bytes, const std::string& location) {
  if (first_bytes.size() < kPreludeBytes) {
    Throw(ErrorKind::kCorrupt, "{}: expected a statelib {} of at least {} bytes, found {}",
          location, kind.name, HeadBytes(0), first_bytes.size());
  }
  if (std::memcmp(first_bytes.data(), kind.magic.data(), kind.magic.size()) != 0) {
    Throw(ErrorKind::kCorrupt, "{}: not a statelib {}: its first 8 bytes are others", location,
          kind.name);
  }
  const uint32_t version = VersionOf(first_bytes);
  if (version < kind.oldest_version || version > kind.version) {
    const std::string known =
        kind.oldest_version == kind.version
            ? fmt::format("version {}", kind.version)
            : fmt::format("versions {} to {}", kind.oldest_version, kind.version);
    Throw(ErrorKind::kUnsupported,
          "{}: {} format version {}, this statelib reads {}; use a statelib that reads version {}",
          location, kind.name, version, known, version);
  }
  const auto header_bytes = LoadLittle<uint32_t>(first_bytes.data() + 12);
  if (header_bytes > kind.header_bytes_max) {
    Throw(ErrorKind::kCorrupt, "{}: header of {} bytes, expected at most {}", location,
          header_bytes, kind.header_bytes_max);
  }
  return header_bytes;
}

ByteSpan ReadHead(const FileKind& kind, const ByteSource& file, const std::string& location,
                  Bytes* buffer) {
  const ByteSpan prelude = file.View(0, std::min<uint64_t>(kPreludeBytes, file.size()), buffer);
  const uint64_t head = HeadBytes(HeaderBytesOf(kind, prelude, location));
  return file.View(0, std::min(head, file.size()), buffer);
}

ByteSpan CheckedHeader(const FileKind& kind, ByteSpan first_bytes, const std::string& location) {
  const size_t header_bytes = HeaderBytesOf(kind, first_bytes, location);
  if (first_bytes.size() < HeadBytes(header_bytes)) {
    Throw(ErrorKind::kCorrupt, "{}: cut short: the header ends at byte {}, the file at byte {}",
          location, HeadBytes(header_bytes), first_bytes.size());
  }
  const size_t hashed = kPreludeBytes + header_bytes;
  const Digest expected = *Digest::FromBytes(first_bytes.subspan(hashed, sizeof(Digest::bytes)));
  const Digest found = HashOf(first_bytes.first(hashed));
  if (found != expected) {
    Throw(ErrorKind::kCorrupt, "{}: damaged header: expected hash {}, found {}", location,
          expected.ShortHex(), found.ShortHex());
  }
  return first_bytes.subspan(kPreludeBytes, header_bytes);
}

}  // namespace statelib::storage
