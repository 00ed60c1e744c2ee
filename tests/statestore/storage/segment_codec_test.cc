// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/segment_codec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "statestore/storage/file_head.h"
#include "statestore/storage/message_codec.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/sample_state.h"

namespace statelib::storage {
namespace {

const SegmentSpec kSegment{2, SegmentKind::kSsm, DType::kF32, {5, 37}, "state,channel"};
const SegmentSpec kHiddenSegment{-1, SegmentKind::kHidden, DType::kF32, {37}, "hidden"};

Bytes FloatBytes(const std::vector<float>& values) {
  const ByteSpan bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

float At(ByteSpan bytes, size_t i) { return LoadLittle<float>(bytes.data() + 4 * i); }

class SegmentCodec : public testing::TestWithParam<Codec> {};

TEST_P(SegmentCodec, GivesBackTheApproximationBitForBit) {
  const Bytes near = Approximate(GetParam(), kSegment, SampleFloats(kSegment.elements(), 3));
  SegmentEncoder encoder;
  const Bytes frame = encoder.Encode(GetParam(), kSegment, near);
  Bytes raw(near.size());
  SegmentDecoder().Decode(GetParam(), kSegment, frame, raw, "frame");
  EXPECT_EQ(raw, near);
}

TEST_P(SegmentCodec, AnApproximationIsItsOwnApproximation) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    const Bytes near = Approximate(GetParam(), kSegment, SampleFloats(kSegment.elements(), seed));
    ASSERT_EQ(Approximate(GetParam(), kSegment, near), near) << seed;
  }
}

TEST_P(SegmentCodec, KeepsRowsOfZerosAndSegmentsWithoutElements) {
  const Bytes zeros(kSegment.bytes());
  EXPECT_EQ(Approximate(GetParam(), kSegment, zeros), zeros);
  const SegmentSpec empty{0, SegmentKind::kConv, DType::kF32, {0, 8}, "time,channel"};
  Bytes raw;
  const Bytes frame = SegmentEncoder().Encode(GetParam(), empty, raw);
  EXPECT_NO_THROW(SegmentDecoder().Decode(GetParam(), empty, frame, raw, "frame"));
}

TEST_P(SegmentCodec, RefusesAFrameOfAnotherSize) {
  const SegmentSpec larger{2, SegmentKind::kSsm, DType::kF32, {6, 37}, "state,channel"};
  const Bytes near = Approximate(GetParam(), kSegment, SampleFloats(kSegment.elements(), 3));
  const Bytes frame = SegmentEncoder().Encode(GetParam(), kSegment, near);
  Bytes raw(larger.bytes());
  ExpectError(ErrorKind::kCorrupt, "frame",
              [&] { SegmentDecoder().Decode(GetParam(), larger, frame, raw, "frame"); });
}

INSTANTIATE_TEST_SUITE_P(All, SegmentCodec,
                         testing::Values(Codec::kExact, Codec::kBf16, Codec::kInt8, Codec::kDelta),
                         [](const auto& tested) { return std::string(NameOf(tested.param)); });

TEST(LossyCodec, Bf16RoundsToTheNearestWithTiesToEven) {
  const SegmentSpec spec{0, SegmentKind::kSsm, DType::kF32, {4}, "channel"};
  const Bytes near =
      Approximate(Codec::kBf16, spec, FloatBytes({1.0f, 1.00390625f, 1.01171875f, -3.14159f}));
  EXPECT_EQ(At(near, 0), 1.0f);
  EXPECT_EQ(At(near, 1), 1.0f);       // half way: to the even 0x3f80
  EXPECT_EQ(At(near, 2), 1.015625f);  // half way: to the even 0x3f82
  EXPECT_EQ(At(near, 3), -3.140625f);
}

TEST(LossyCodec, Int8StaysWithinItsStepOfTheRowsLargestValue) {
  const Bytes exact = SampleFloats(kSegment.elements(), 11);
  const Bytes near = Approximate(Codec::kInt8, kSegment, exact);
  for (size_t row = 0; row < 5; ++row) {
    float largest = 0;
    for (size_t i = 0; i < 37; ++i) largest = std::max(largest, std::abs(At(exact, row * 37 + i)));
    for (size_t i = row * 37; i < (row + 1) * 37; ++i) {
      // d/dq of (q / 127)^2 times half a step, and the square of half a step beside zero.
      const float share = std::abs(At(exact, i)) / largest;
      const float bound = largest * (std::sqrt(share) / 127 + 0.25f / (127 * 127)) * 1.001f;
      EXPECT_LE(std::abs(At(near, i) - At(exact, i)), bound) << "row " << row << " element " << i;
    }
  }
}

TEST(LossyCodec, Int8KeepsTheLargestValueOfEachRow) {
  const SegmentSpec spec{0, SegmentKind::kSsm, DType::kF32, {2, 2}, "state,channel"};
  const Bytes near = Approximate(Codec::kInt8, spec, FloatBytes({0.1f, -7.3f, 1e-30f, 0.0f}));
  EXPECT_EQ(At(near, 1), -7.3f);
  EXPECT_EQ(At(near, 2), 1e-30f);
}

TEST(LossyCodec, RefusesValuesThatAreNotFinite) {
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const SegmentSpec spec{1, SegmentKind::kConv, DType::kF32, {2}, "channel"};
    for (const Codec codec : {Codec::kBf16, Codec::kInt8}) {
      ExpectError(ErrorKind::kInvalidArgument, "layer 1 conv [2]: element 1", [&] {
        Approximate(codec, spec, FloatBytes({0.5f, value}));
      });
    }
  }
}

TEST(LossyCodec, IsNotGivenValuesThatItWouldChange) {
  ExpectError(ErrorKind::kInvalidArgument, "int8 does not keep", [&] {
    SegmentEncoder().Encode(Codec::kInt8, kSegment, SampleFloats(kSegment.elements(), 3));
  });
}

TEST(LossyCodec, LeavesTheHiddenVectorExact) {
  EXPECT_EQ(CodecFor(Codec::kInt8, kHiddenSegment), Codec::kExact);
  EXPECT_EQ(CodecFor(Codec::kInt8, kSegment), Codec::kInt8);
}

TEST(Profile, CarriesTheMarkOfEachLossyCodecOnce) {
  EXPECT_EQ(ProfileAfter("exact-f32-r1", Codec::kExact), "exact-f32-r1");
  EXPECT_EQ(ProfileAfter("exact-f32-r1", Codec::kInt8), "exact-f32-r1+int8");
  EXPECT_EQ(ProfileAfter("exact-f32-r1+int8", Codec::kInt8), "exact-f32-r1+int8");
  EXPECT_EQ(ProfileAfter("exact-f32-r1+int8", Codec::kBf16), "exact-f32-r1+int8+bf16");
  EXPECT_EQ(ProfileAfter("exact-f32-r1~", Codec::kInt8), "exact-f32-r1+int8~");
  EXPECT_EQ(BaseProfileOf("exact-f32-r1+int8+bf16"), "exact-f32-r1");
  EXPECT_EQ(BaseProfileOf("exact-f32-r1~"), "exact-f32-r1");
}

// ---------------------------------------------------------------- in a state object

Fidelity SampleFidelity() {
  return {Codec::kInt8,  HashOf(AsBytes("exact")), HashOf(AsBytes("probe")), 96, 7e-5, 6e-4, 1.0,
          {0.011, 0.012}};
}

EncodedObject EncodeLossy(const Fidelity& fidelity) {
  StateRecord record = SampleState();
  for (size_t i = 0; i < record.segments.size(); ++i) {
    const SegmentSpec& spec = record.description.spec[i];
    record.segments[i] = Approximate(CodecFor(Codec::kInt8, spec), spec, record.segments[i]);
  }
  const auto views = Views(record.segments);
  return EncodeState(record.description, views, ContentDigest(record.description.spec, views),
                     Codec::kInt8, fidelity);
}

TEST(LossyStateObject, SaysItsFidelityAndIsSound) {
  const EncodedObject object = EncodeLossy(SampleFidelity());
  const StateHeader header = VerifyState(object.bytes, "object");
  EXPECT_EQ(header.fidelity, SampleFidelity());
  EXPECT_EQ(header.segments[0].codec, Codec::kInt8);
  EXPECT_EQ(header.segments.back().codec, Codec::kExact);
}

TEST(LossyStateObject, HasAFormatVersionOfItsOwnAndAnExactOneKeepsTheFirst) {
  EXPECT_EQ(VersionOf(EncodeLossy(SampleFidelity()).bytes), 2u);
  EXPECT_EQ(VersionOf(Encode(SampleState()).bytes), 1u);
}

TEST(LossyStateObject, OfAnotherFormatVersionIsRefused) {
  Bytes bytes = EncodeLossy(SampleFidelity()).bytes;
  const Bytes header(bytes.begin() + kPreludeBytes,
                     bytes.begin() + kPreludeBytes + LoadLittle<uint32_t>(bytes.data() + 12));
  const Bytes head = MakeHead(kObjectFile, 1, header);
  std::copy(head.begin(), head.end(), bytes.begin());
  ExpectError(ErrorKind::kCorrupt, "expected format version 2",
              [&] { VerifyState(bytes, "object"); });
}

TEST(LossyStateObject, CutAtAnyByteIsRefused) {
  const Bytes bytes = EncodeLossy(SampleFidelity()).bytes;
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(VerifyState(ByteSpan(bytes).first(size), "object"), Error) << size;
  }
}

TEST(LossyStateObject, WhoseCodecDoesNotStoreSuchASegmentIsRefused) {
  StateRecord record = SampleState();
  record.description.spec = {{0, SegmentKind::kKeys, DType::kBF16, {4, 256}, "time,channel"}};
  record.segments = {Bytes(2 * 4 * 256)};
  const Bytes file = Encode(record).bytes;
  for (const Codec codec : {Codec::kBf16, Codec::kInt8, Codec::kDelta}) {
    StateHeader header = StateReader(file, "object").header();
    header.segments[0].codec = codec;
    const SegmentSpec as_f32{0, SegmentKind::kKeys, DType::kF32, {4, 256}, "time,channel"};
    const Bytes frame = SegmentEncoder().Encode(codec, as_f32, Bytes(as_f32.bytes()));
    header.segments[0].stored_bytes = frame.size();
    header.segments[0].frame_digest = HashOf(frame);
    Bytes bytes = MakeHead(kObjectFile, ObjectVersionOf(header), AsBytes(SerializeHeader(header)));
    bytes.insert(bytes.end(), frame.begin(), frame.end());
    ExpectError(ErrorKind::kCorrupt, "its codec does not store such a segment",
                [&] { VerifyState(bytes, "object"); });
  }
}

TEST(LossyStateObject, WithAMeasureThatIsNoNumberIsRefused) {
  Fidelity fidelity = SampleFidelity();
  fidelity.mean_kl = std::numeric_limits<double>::quiet_NaN();
  const EncodedObject object = EncodeLossy(fidelity);
  ExpectError(ErrorKind::kCorrupt, "mean KL", [&] { VerifyState(object.bytes, "object"); });
}

}  // namespace
}  // namespace statelib::storage
