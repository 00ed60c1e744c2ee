// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_ZSTD_FRAME_H_
#define STATELIB_STATESTORE_STORAGE_ZSTD_FRAME_H_

#include <memory>
#include <span>
#include <string>

#include "core/base/bytes.h"

namespace statelib::storage {

/// Compresses into zstd frames that state their content size. One thread.
class ZstdCompressor {
 public:
  ZstdCompressor();
  ~ZstdCompressor();

  /// One frame of `raw`, whose consecutive parts of part_bytes each begin a block of their own, so
  /// that parts of different statistics (byte planes) do not share one entropy table.
  /// part_bytes > 0; the last part may be shorter.
  Bytes Compress(ByteSpan raw, size_t part_bytes);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

/// Reads back frames that may come from anywhere. One thread.
class ZstdDecompressor {
 public:
  ZstdDecompressor();
  ~ZstdDecompressor();

  /// Fills `raw` from `frame`, which must be exactly one frame of exactly raw.size() bytes.
  /// `location` names the frame in messages. Errors: kCorrupt.
  void Decompress(ByteSpan frame, std::span<std::byte> raw, const std::string& location);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

/// How many of a frame's first bytes tell how much it says that it holds.
inline constexpr size_t kFrameHeaderBytesMax = 18;

/// Throws kCorrupt unless what a frame begins with, kFrameHeaderBytesMax bytes where it has as
/// many, says that it holds raw_bytes.
void CheckFrameHeader(ByteSpan first_bytes, uint64_t raw_bytes, const std::string& location);

/// Throws kCorrupt unless `frame` is a single zstd frame that says it holds raw_bytes. Call it
/// before allocating raw_bytes.
void CheckFrame(ByteSpan frame, uint64_t raw_bytes, const std::string& location);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_ZSTD_FRAME_H_
