// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/tokens_object.h"

#include <algorithm>

#include "core/base/error.h"
#include "statestore/storage/file_head.h"
#include "statestore/storage/message_codec.h"
#include "statestore/storage/zstd_frame.h"

namespace statelib::storage {

namespace {

Bytes ToVarints(std::span<const TokenId> tokens) {
  Bytes out;
  out.reserve(tokens.size() * 3);
  for (const TokenId token : tokens) {
    auto rest = static_cast<uint32_t>(token);
    while (rest >= 0x80) {
      out.push_back(static_cast<std::byte>(rest | 0x80));
      rest >>= 7;
    }
    out.push_back(static_cast<std::byte>(rest));
  }
  return out;
}

std::vector<TokenId> FromVarints(ByteSpan bytes, size_t count, const std::string& location) {
  std::vector<TokenId> tokens;
  tokens.reserve(count);
  uint64_t value = 0;
  int shift = 0;
  for (const std::byte byte : bytes) {
    value |= (static_cast<uint64_t>(byte) & 0x7f) << shift;
    shift += 7;
    if ((byte & std::byte{0x80}) != std::byte{0}) {
      if (shift > 28) Throw(ErrorKind::kCorrupt, "{}: a token id of more than 31 bits", location);
      continue;
    }
    if (value > INT32_MAX || tokens.size() == count)
      Throw(ErrorKind::kCorrupt, "{}: token ids that are not {} of 31 bits", location, count);
    tokens.push_back(static_cast<TokenId>(value));
    value = 0;
    shift = 0;
  }
  if (shift != 0 || tokens.size() != count) {
    Throw(ErrorKind::kCorrupt, "{}: expected {} token ids, found {}", location, count,
          tokens.size());
  }
  return tokens;
}

Bytes ToPlanes(std::span<const TokenId> tokens) {
  Bytes out(tokens.size() * 4);
  for (size_t i = 0; i < tokens.size(); ++i) {
    for (size_t b = 0; b < 4; ++b)
      out[b * tokens.size() + i] = static_cast<std::byte>(tokens[i] >> (8 * b));
  }
  return out;
}

std::vector<TokenId> FromPlanes(ByteSpan bytes, size_t count, const std::string& location) {
  if (bytes.size() != count * 4) {
    Throw(ErrorKind::kCorrupt, "{}: expected {} bytes of token ids, found {}", location, count * 4,
          bytes.size());
  }
  std::vector<TokenId> tokens(count);
  for (size_t i = 0; i < count; ++i) {
    uint32_t value = 0;
    for (size_t b = 0; b < 4; ++b) value |= static_cast<uint32_t>(bytes[b * count + i]) << (8 * b);
    if (value > INT32_MAX) Throw(ErrorKind::kCorrupt, "{}: a negative token id", location);
    tokens[i] = static_cast<TokenId>(value);
  }
  return tokens;
}

}  // namespace

EncodedObject EncodeTokens(std::span<const TokenId> tokens) {
  if (tokens.empty() || tokens.size() > kTokensPerChunk) {
    Throw(ErrorKind::kInvalidArgument, "a tokens object holds 1 to {} tokens, not {}",
          kTokensPerChunk, tokens.size());
  }
  if (*std::min_element(tokens.begin(), tokens.end()) < 0)
    Throw(ErrorKind::kInvalidArgument, "a history cannot hold a negative token id");
  ZstdCompressor zstd;
  const Bytes varints = ToVarints(tokens);
  const Bytes planes = ToPlanes(tokens);
  const Bytes varint_frame = zstd.Compress(varints, varints.size());
  const Bytes plane_frame = zstd.Compress(planes, tokens.size());
  const bool use_planes = plane_frame.size() < varint_frame.size();
  const Bytes& frame = use_planes ? plane_frame : varint_frame;

  TokensHeader header;
  header.token_count = static_cast<uint32_t>(tokens.size());
  header.encoding = use_planes ? TokenEncoding::kPlanes : TokenEncoding::kVarint;
  header.raw_bytes = static_cast<uint32_t>(use_planes ? planes.size() : varints.size());
  header.stored_bytes = static_cast<uint32_t>(frame.size());
  header.frame_digest = HashOf(frame);
  EncodedObject object;
  object.bytes = MakeHead(kObjectFile, kExactObjectVersion, AsBytes(SerializeHeader(header)));
  object.bytes.insert(object.bytes.end(), frame.begin(), frame.end());
  object.id = HashOf(object.bytes);
  return object;
}

std::vector<TokenId> DecodeTokens(ByteSpan file, const std::string& location) {
  return DecodeTokens(MemorySource(file), location);
}

std::vector<TokenId> DecodeTokens(const ByteSource& file, const std::string& location) {
  Bytes head_buffer, frame_buffer;
  const ByteSpan head = ReadHead(kObjectFile, file, location, &head_buffer);
  const ObjectHeader parsed = ParseHeader(CheckedHeader(kObjectFile, head, location), location);
  const auto* header = std::get_if<TokensHeader>(&parsed);
  if (header == nullptr)
    Throw(ErrorKind::kCorrupt, "{}: expected a tokens object, found a state object", location);
  if (VersionOf(head) != kExactObjectVersion) {
    Throw(ErrorKind::kCorrupt, "{}: expected format version {} for tokens, found {}", location,
          kExactObjectVersion, VersionOf(head));
  }
  if (file.size() - head.size() != header->stored_bytes) {
    Throw(ErrorKind::kCorrupt, "{}: expected a frame of {} bytes, found {}", location,
          header->stored_bytes, file.size() - head.size());
  }
  const ByteSpan frame = file.View(head.size(), header->stored_bytes, &frame_buffer);
  if (HashOf(frame) != header->frame_digest)
    Throw(ErrorKind::kCorrupt, "{}: damaged frame: its hash is not the one in the header",
          location);
  Bytes raw(header->raw_bytes);
  ZstdDecompressor().Decompress(frame, raw, location);
  return header->encoding == TokenEncoding::kPlanes
             ? FromPlanes(raw, header->token_count, location)
             : FromVarints(raw, header->token_count, location);
}

}  // namespace statelib::storage
