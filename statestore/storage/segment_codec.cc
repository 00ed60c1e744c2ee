// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/segment_codec.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/base/error.h"
#include "statestore/storage/byte_planes.h"

namespace statelib::storage {

namespace {

size_t RowElements(const SegmentSpec& spec) {
  return spec.shape.empty() ? 1 : static_cast<size_t>(spec.shape.back());
}
size_t RowCount(const SegmentSpec& spec) {
  const size_t width = RowElements(spec);
  return width == 0 ? 0 : spec.elements() / width;
}

float ElementOf(ByteSpan raw, size_t i) { return LoadLittle<float>(raw.data() + 4 * i); }

// ------------------------------------------------------------------------ exact and delta

uint64_t ExactBytes(const SegmentSpec& spec) { return spec.bytes(); }

void CodeExact(const SegmentSpec& spec, ByteSpan raw, std::span<std::byte> coded) {
  SplitIntoPlanes(raw, kernels::SizeOf(spec.dtype), coded);
}

void RestoreExact(const SegmentSpec& spec, ByteSpan coded, std::span<std::byte> raw) {
  JoinPlanes(coded, kernels::SizeOf(spec.dtype), raw);
}

size_t ExactPart(const SegmentSpec& spec) { return spec.elements(); }

// -------------------------------------------------------------------------------- bf16

uint64_t Bf16Bytes(const SegmentSpec& spec) { return 2 * spec.elements(); }

void CodeBf16(const SegmentSpec& spec, ByteSpan raw, std::span<std::byte> coded) {
  Bytes halves(coded.size());
  for (size_t i = 0; i < spec.elements(); ++i) {
    const auto bits = LoadLittle<uint32_t>(raw.data() + 4 * i);
    const uint32_t rounded = bits + 0x7fff + ((bits >> 16) & 1);
    StoreLittle(static_cast<uint16_t>(rounded >> 16), halves.data() + 2 * i);
  }
  SplitIntoPlanes(halves, 2, coded);
}

void RestoreBf16(const SegmentSpec& spec, ByteSpan coded, std::span<std::byte> raw) {
  Bytes halves(coded.size());
  JoinPlanes(coded, 2, halves);
  for (size_t i = 0; i < spec.elements(); ++i) {
    const auto half = LoadLittle<uint16_t>(halves.data() + 2 * i);
    StoreLittle(uint32_t{half} << 16, raw.data() + 4 * i);
  }
}

// -------------------------------------------------------------------------------- int8
// Coded: the rows' largest magnitudes as f32, then a code an element.

constexpr float kCodeMax = 127;

uint64_t Int8Bytes(const SegmentSpec& spec) { return 4 * RowCount(spec) + spec.elements(); }

void CodeInt8(const SegmentSpec& spec, ByteSpan raw, std::span<std::byte> coded) {
  const size_t rows = RowCount(spec), width = RowElements(spec);
  std::byte* codes = coded.data() + 4 * rows;
  for (size_t row = 0; row < rows; ++row) {
    float largest = 0;
    for (size_t i = row * width; i < (row + 1) * width; ++i)
      largest = std::max(largest, std::abs(ElementOf(raw, i)));
    StoreLittle(std::bit_cast<uint32_t>(largest), coded.data() + 4 * row);
    for (size_t i = row * width; i < (row + 1) * width; ++i) {
      const float value = ElementOf(raw, i);
      const float code =
          largest > 0 ? std::round(kCodeMax * std::sqrt(std::abs(value) / largest)) : 0.0f;
      codes[i] = static_cast<std::byte>(static_cast<int8_t>(std::signbit(value) ? -code : code));
    }
  }
}

void RestoreInt8(const SegmentSpec& spec, ByteSpan coded, std::span<std::byte> raw) {
  const size_t rows = RowCount(spec), width = RowElements(spec);
  const std::byte* codes = coded.data() + 4 * rows;
  for (size_t row = 0; row < rows; ++row) {
    const float largest = ElementOf(coded, row);
    for (size_t i = row * width; i < (row + 1) * width; ++i) {
      const int code = static_cast<int8_t>(codes[i]);
      // Exactly `largest` for the largest code, so that coding the result gives the same codes.
      const float share = static_cast<float>(code * std::abs(code)) / (kCodeMax * kCodeMax);
      StoreLittle(std::bit_cast<uint32_t>(share * largest), raw.data() + 4 * i);
    }
  }
}

size_t WholePart(const SegmentSpec& spec) { return std::max<size_t>(1, spec.bytes()); }

// ------------------------------------------------------------------------------- table

/// One line a codec: a new one is these functions and a line in kCodecs.
struct CodecEntry {
  Codec codec;
  const char* name;
  uint64_t (*coded_bytes)(const SegmentSpec& spec);
  void (*code)(const SegmentSpec& spec, ByteSpan raw, std::span<std::byte> coded);
  void (*restore)(const SegmentSpec& spec, ByteSpan coded, std::span<std::byte> raw);
  size_t (*part_bytes)(const SegmentSpec& spec);  ///< see ZstdCompressor::Compress
};

constexpr CodecEntry kCodecs[] = {
    {Codec::kExact, "exact", ExactBytes, CodeExact, RestoreExact, ExactPart},
    {Codec::kBf16, "bf16", Bf16Bytes, CodeBf16, RestoreBf16, ExactPart},
    {Codec::kInt8, "int8", Int8Bytes, CodeInt8, RestoreInt8, WholePart},
    {Codec::kDelta, "delta", ExactBytes, CodeExact, RestoreExact, ExactPart},
};

const CodecEntry& EntryOf(Codec codec) {
  for (const CodecEntry& entry : kCodecs) {
    if (entry.codec == codec) return entry;
  }
  Throw(ErrorKind::kUnsupported, "codec number {} is unknown to this statelib; use a newer one",
        static_cast<int>(codec));
}

void CheckFinite(const SegmentSpec& spec, ByteSpan raw) {
  for (size_t i = 0; i < spec.elements(); ++i) {
    if (std::isfinite(ElementOf(raw, i))) continue;
    Throw(ErrorKind::kInvalidArgument,
          "{}: element {} is {}, which only the codec exact keeps; the state is broken",
          spec.Label(), i, ElementOf(raw, i));
  }
}

}  // namespace

const char* NameOf(Codec codec) { return EntryOf(codec).name; }

std::optional<Codec> CodecFromName(std::string_view name) {
  for (const CodecEntry& entry : kCodecs) {
    if (entry.name == name) return entry.codec;
  }
  return std::nullopt;
}

Codec CodecFor(Codec codec, const SegmentSpec& spec) {
  const bool stores = spec.kind != SegmentKind::kHidden && spec.dtype == DType::kF32;
  return stores ? codec : Codec::kExact;
}

uint64_t CodedBytes(Codec codec, const SegmentSpec& spec) {
  return EntryOf(codec).coded_bytes(spec);
}

void RestoreCoded(Codec codec, const SegmentSpec& spec, ByteSpan coded, std::span<std::byte> raw) {
  EntryOf(codec).restore(spec, coded, raw);
}

Bytes Approximate(Codec codec, const SegmentSpec& spec, ByteSpan raw) {
  if (!IsLossy(codec)) return {raw.begin(), raw.end()};
  CheckFinite(spec, raw);
  const CodecEntry& entry = EntryOf(codec);
  Bytes coded(entry.coded_bytes(spec));
  Bytes near(raw.size());
  entry.code(spec, raw, coded);
  entry.restore(spec, coded, near);
  return near;
}

Bytes SegmentEncoder::Encode(Codec codec, const SegmentSpec& spec, ByteSpan raw) {
  const CodecEntry& entry = EntryOf(codec);
  coded_.resize(entry.coded_bytes(spec));
  entry.code(spec, raw, coded_);
  if (IsLossy(codec)) {
    restored_.resize(raw.size());
    entry.restore(spec, coded_, restored_);
    if (!std::equal(raw.begin(), raw.end(), restored_.begin())) {
      Throw(ErrorKind::kInvalidArgument, "{}: holds values that the codec {} does not keep",
            spec.Label(), entry.name);
    }
  }
  return zstd_.Compress(coded_, std::max<size_t>(1, entry.part_bytes(spec)));
}

void SegmentDecoder::Decode(Codec codec, const SegmentSpec& spec, ByteSpan frame,
                            std::span<std::byte> raw, const std::string& location) {
  const CodecEntry& entry = EntryOf(codec);
  CheckFrame(frame, entry.coded_bytes(spec), location);
  coded_.resize(entry.coded_bytes(spec));
  zstd_.Decompress(frame, coded_, location);
  entry.restore(spec, coded_, raw);
}

}  // namespace statelib::storage
