// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_FILE_HEAD_H_
#define STATELIB_STATESTORE_STORAGE_FILE_HEAD_H_

#include <array>
#include <cstdint>
#include <string>

#include "core/base/byte_source.h"
#include "core/base/bytes.h"
#include "core/base/digest.h"
#include "statestore/storage/limits.h"

// How every statelib file begins: magic, format version, length of the header, header, and a
// BLAKE2b-256 over all of that. What follows is the file kind's own. proto/FORMAT.md has the
// layout.
namespace statelib::storage {

struct FileKind {
  const char* name;  ///< for messages
  std::array<char, 8> magic;
  uint32_t version;         ///< the newest that this build writes
  uint32_t oldest_version;  ///< it reads from this one on
  uint32_t header_bytes_max;
};

// As in PNG, the bytes after the name show what a transfer as text would have changed.
inline constexpr FileKind kObjectFile{
    "object", {'\x89', 'S', 'L', 'O', '\r', '\n', '\x1a', '\n'}, 4, 1, kObjectHeaderBytesMax};
inline constexpr FileKind kBundleFile{
    "bundle", {'\x89', 'S', 'L', 'B', '\r', '\n', '\x1a', '\n'}, 3, 1, kManifestBytesMax};
inline constexpr FileKind kCatalogueFile{
    "catalogue", {'\x89', 'S', 'L', 'C', '\r', '\n', '\x1a', '\n'}, 1, 1, kManifestBytesMax};
inline constexpr FileKind kRecordFile{
    "record", {'\x89', 'S', 'L', 'R', '\r', '\n', '\x1a', '\n'}, 3, 1, kManifestBytesMax};

/// What an object is written as: the oldest version that can say it, so that equal objects stay
/// equal.
inline constexpr uint32_t kExactObjectVersion = 1;
inline constexpr uint32_t kLossyObjectVersion = 2;      ///< lossy codecs, fidelity
inline constexpr uint32_t kDeltaObjectVersion = 3;      ///< a base and differences to it
inline constexpr uint32_t kContinuedObjectVersion = 4;  ///< read under several profiles

/// The same of bundles and records.
inline constexpr uint32_t kNumberedBundleVersion = 2;  ///< references have their versions' numbers
inline constexpr uint32_t kPromptBundleVersion = 3;    ///< models have prompt forms
inline constexpr uint32_t kPromptRecordVersion = 2;    ///< models have prompt forms
inline constexpr uint32_t kForgettingRecordVersion = 3;  ///< versions that were forgotten

inline constexpr size_t kPreludeBytes = 16;  ///< magic, version, header length

/// Bytes from the file's first to the first one after the header's digest.
constexpr size_t HeadBytes(size_t header_bytes) {
  return kPreludeBytes + header_bytes + sizeof(Digest::bytes);
}

/// The format version that a prelude names.
inline uint32_t VersionOf(ByteSpan first_bytes) {
  return LoadLittle<uint32_t>(first_bytes.data() + 8);
}

/// The head of a file: prelude, header, digest. The caller keeps the header under the kind's limit.
Bytes MakeHead(const FileKind& kind, uint32_t version, ByteSpan header);
/// The same in the kind's newest version.
inline Bytes MakeHead(const FileKind& kind, ByteSpan header) {
  return MakeHead(kind, kind.version, header);
}

/// Reads a prelude and returns the header's length. `location` names the file in messages.
/// Errors: kCorrupt for other magic, for too few bytes or a length beyond the limit; kUnsupported
/// for another version, with the one that is needed.
uint32_t HeaderBytesOf(const FileKind& kind, ByteSpan first_bytes, const std::string& location);

/// A file's first bytes up to the end of its header, or to its own where that comes first. As
/// ByteSource::View. Errors: those of HeaderBytesOf and ByteSource.
ByteSpan ReadHead(const FileKind& kind, const ByteSource& file, const std::string& location,
                  Bytes* buffer);

/// The header inside a file's first bytes, its digest checked. Errors: as above, and kCorrupt.
ByteSpan CheckedHeader(const FileKind& kind, ByteSpan first_bytes, const std::string& location);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_FILE_HEAD_H_
