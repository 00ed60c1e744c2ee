// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/segment_stream.h"

#include <gtest/gtest.h>

#include "tests/statestore/expect_error.h"
#include "tests/statestore/sample_state.h"

namespace statelib::storage {
namespace {

SegmentSpec Spec(std::vector<int64_t> shape) {
  return {2, SegmentKind::kSsm, DType::kF32, std::move(shape), "state,channel"};
}

TEST(SegmentStream, GivesWhatTheDecoderGivesHoweverItIsRead) {
  for (const Codec codec : {Codec::kExact, Codec::kBf16, Codec::kInt8, Codec::kDelta}) {
    for (const auto& shape : std::vector<std::vector<int64_t>>{
             {5, 7}, {1}, {200'000}, {3, 70'000}, {70'000, 3}, {2, 1 << 16}, {0, 8}}) {
      const SegmentSpec spec = Spec(shape);
      const Bytes near = Approximate(codec, spec, SampleFloats(spec.elements(), 3));
      const Bytes frame = SegmentEncoder().Encode(codec, spec, near);
      for (const size_t step : {size_t{1000}, size_t{1} << 18}) {
        const MemorySource memory{ByteSpan(frame)};
        SegmentStream stream(codec, spec, SourcePart(memory), "frame");
        Bytes read(near.size());
        for (size_t at = 0; at < read.size(); at += step)
          stream.Read(std::span(read).subspan(at, std::min(step, read.size() - at)));
        stream.Finish();
        EXPECT_EQ(read, near) << NameOf(codec) << " " << spec.Label();
      }
    }
  }
}

TEST(SegmentStream, ADamagedFrameIsRefused) {
  const SegmentSpec spec = Spec({3, 70'000});
  const Bytes sound =
      SegmentEncoder().Encode(Codec::kExact, spec, SampleFloats(spec.elements(), 3));
  const auto read = [&](ByteSpan frame) {
    const MemorySource memory(frame);
    SegmentStream stream(Codec::kExact, spec, SourcePart(memory), "frame");
    Bytes raw(spec.bytes());
    stream.Read(raw);
    stream.Finish();
  };
  EXPECT_NO_THROW(read(sound));
  ExpectError(ErrorKind::kCorrupt, "frame", [&] { read(ByteSpan(sound).first(sound.size() / 2)); });
  Bytes damaged = sound;
  damaged[4] ^= std::byte{8};  // how much it says it holds
  ExpectError(ErrorKind::kCorrupt, "frame", [&] { read(damaged); });
}

TEST(StateReader, APieceOfADeltaIsThatOfTheState) {
  StateRecord record = SampleState();
  record.description.spec = {Spec({40, 70'000})};
  const size_t elements = record.description.spec[0].elements();
  const Bytes base_raw = SampleFloats(elements, 3);
  Bytes raw = base_raw;
  for (size_t i = 0; i < raw.size(); i += 64) raw[i] ^= std::byte{1};
  const ByteSpan base_view = base_raw;
  const ByteSpan view = raw;
  const StateSpec& spec = record.description.spec;
  const EncodedObject base =
      EncodeState(record.description, {&base_view, 1}, ContentDigest(spec, {&base_view, 1}));
  const DeltaBase delta_base{base.id, {&base_view, 1}};
  const EncodedObject delta =
      EncodeState(record.description, {&view, 1}, ContentDigest(spec, {&view, 1}), Codec::kDelta,
                  std::nullopt, &delta_base);
  StateReader reader(delta.bytes, "delta", FileHash::kUnchecked,
                     [&](const ObjectId&) { return MemorySource::Keep(base.bytes); });
  ASSERT_EQ(reader.header().segments[0].codec, Codec::kDelta);
  Bytes read;
  size_t pieces = 0;
  reader.ForEachPiece(0, [&](ByteSpan piece) {
    ++pieces;
    read.insert(read.end(), piece.begin(), piece.end());
  });
  EXPECT_GT(pieces, 1u);
  EXPECT_EQ(read, raw);
  EXPECT_NO_THROW(VerifyState(delta.bytes, "delta",
                              [&](const ObjectId&) { return MemorySource::Keep(base.bytes); }));
}

}  // namespace
}  // namespace statelib::storage
