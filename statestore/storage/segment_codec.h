// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_SEGMENT_CODEC_H_
#define STATELIB_STATESTORE_STORAGE_SEGMENT_CODEC_H_

#include <span>
#include <string>

#include "core/base/segment.h"
#include "statestore/storage/records.h"
#include "statestore/storage/zstd_frame.h"

namespace statelib::storage {

const char* NameOf(Codec codec);  ///< "exact"

/// Turns a segment's raw bytes into one zstd frame. Keeps its working memory from call to call.
/// One thread.
class SegmentEncoder {
 public:
  Bytes Encode(Codec codec, DType dtype, ByteSpan raw);

 private:
  friend struct CodecEntry;
  ZstdCompressor zstd_;
  Bytes scratch_;
};

/// Turns frames back into raw bytes. Keeps its working memory from call to call. One thread.
class SegmentDecoder {
 public:
  /// Fills `raw`, which has the size that the header promised. Errors: kCorrupt with `where`.
  void Decode(Codec codec, DType dtype, ByteSpan frame, std::span<std::byte> raw,
              const std::string& where);

 private:
  friend struct CodecEntry;
  ZstdDecompressor zstd_;
  Bytes scratch_;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_SEGMENT_CODEC_H_
