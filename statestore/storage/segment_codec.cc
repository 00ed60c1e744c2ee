// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/segment_codec.h"

#include <algorithm>

#include "core/base/error.h"
#include "statestore/storage/byte_planes.h"

namespace statelib::storage {

/// One line a codec: a new one is a pair of functions and a line in kCodecs.
struct CodecEntry {
  Codec codec;
  const char* name;
  Bytes (*encode)(SegmentEncoder& encoder, DType dtype, ByteSpan raw);
  void (*decode)(SegmentDecoder& decoder, DType dtype, ByteSpan frame, std::span<std::byte> raw,
                 const std::string& where);

  static Bytes EncodeExact(SegmentEncoder& encoder, DType dtype, ByteSpan raw) {
    encoder.scratch_.resize(raw.size());
    const size_t element_bytes = kernels::SizeOf(dtype);
    SplitIntoPlanes(raw, element_bytes, encoder.scratch_);
    const size_t plane_bytes = std::max<size_t>(1, raw.size() / element_bytes);
    return encoder.zstd_.Compress(encoder.scratch_, plane_bytes);
  }

  static void DecodeExact(SegmentDecoder& decoder, DType dtype, ByteSpan frame,
                          std::span<std::byte> raw, const std::string& where) {
    CheckFrame(frame, raw.size(), where);
    decoder.scratch_.resize(raw.size());
    decoder.zstd_.Decompress(frame, decoder.scratch_, where);
    JoinPlanes(decoder.scratch_, kernels::SizeOf(dtype), raw);
  }
};

namespace {

constexpr CodecEntry kCodecs[] = {
    {Codec::kExact, "exact", CodecEntry::EncodeExact, CodecEntry::DecodeExact},
};

const CodecEntry& EntryOf(Codec codec) {
  for (const CodecEntry& entry : kCodecs) {
    if (entry.codec == codec) return entry;
  }
  Throw(ErrorKind::kUnsupported, "codec number {} is unknown to this statelib; use a newer one",
        static_cast<int>(codec));
}

}  // namespace

const char* NameOf(Codec codec) { return EntryOf(codec).name; }

Bytes SegmentEncoder::Encode(Codec codec, DType dtype, ByteSpan raw) {
  return EntryOf(codec).encode(*this, dtype, raw);
}

void SegmentDecoder::Decode(Codec codec, DType dtype, ByteSpan frame, std::span<std::byte> raw,
                            const std::string& where) {
  EntryOf(codec).decode(*this, dtype, frame, raw, where);
}

}  // namespace statelib::storage
