// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_SEGMENT_CODEC_H_
#define STATELIB_STATESTORE_STORAGE_SEGMENT_CODEC_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/segment.h"
#include "statestore/storage/records.h"
#include "statestore/storage/zstd_frame.h"

// How the bytes of a segment become a zstd frame. A lossy codec works in two steps, so that what is
// stored is always what is read: Approximate replaces a segment's values by near ones that the
// codec keeps exactly; the encoder then stores those, and refuses any others. What kDelta stores
// are the differences that float_difference.h takes, and what it gives back are those.
namespace statelib::storage {

const char* NameOf(Codec codec);  ///< "exact", "bf16", "int8", "delta"
std::optional<Codec> CodecFromName(std::string_view name);

/// The codec that a state's codec means for this segment: the hidden vector, which the next token
/// is chosen by, and segments that are not f32 stay exact.
Codec CodecFor(Codec codec, const SegmentSpec& spec);

/// The bytes inside a segment's frame.
uint64_t CodedBytes(Codec codec, const SegmentSpec& spec);

/// Fills `raw` from the bytes inside the frame of a segment of this shape.
void RestoreCoded(Codec codec, const SegmentSpec& spec, ByteSpan coded, std::span<std::byte> raw);

/// The values nearest to a segment's that the codec keeps exactly; of a lossless one the same
/// bytes.
///   bf16: each value rounded to bf16, ties to even.
///   int8: for each row (the last axis) m = max |x|, q = round(127 sqrt(|x| / m)) with x's sign;
///         the value is (q |q| / 127^2) m. The square gives small values finer steps.
/// Errors: kInvalidArgument for a value that is not finite.
Bytes Approximate(Codec codec, const SegmentSpec& spec, ByteSpan raw);

/// Turns a segment's raw bytes into one zstd frame. Keeps its working memory from call to call.
/// One thread.
class SegmentEncoder {
 public:
  /// Errors: kInvalidArgument for bytes that the codec would not give back.
  Bytes Encode(Codec codec, const SegmentSpec& spec, ByteSpan raw);

 private:
  ZstdCompressor zstd_;
  Bytes coded_;
  Bytes restored_;
};

/// Turns frames back into raw bytes. Keeps its working memory from call to call. One thread.
class SegmentDecoder {
 public:
  /// Fills `raw`, which has the size that the header promised. Errors: kCorrupt with `location`.
  void Decode(Codec codec, const SegmentSpec& spec, ByteSpan frame, std::span<std::byte> raw,
              const std::string& location);

 private:
  ZstdDecompressor zstd_;
  Bytes coded_;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_SEGMENT_CODEC_H_
