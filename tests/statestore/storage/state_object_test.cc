// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/state_object.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "statestore/storage/file_head.h"
#include "statestore/storage/message_codec.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/sample_state.h"

namespace statelib::storage {
namespace {

/// A file with another header in front of the same frames, its header digest in order.
Bytes WithHeader(const Bytes& file, const std::string& header) {
  const size_t old_head = HeadBytes(LoadLittle<uint32_t>(file.data() + 12));
  Bytes changed = MakeHead(kObjectFile, kExactObjectVersion, AsBytes(header));
  changed.insert(changed.end(), file.begin() + static_cast<std::ptrdiff_t>(old_head), file.end());
  return changed;
}

StateHeader HeaderOf(const Bytes& file) { return StateReader(file, "it").header(); }

TEST(StateObject, ReadingGivesBackWhatWasWritten) {
  StateRecord record = SampleState(5000);
  record.description.tokens_kept = true;
  record.description.chunks = {{HashOf(AsBytes("a")), kTokensPerChunk},
                               {HashOf(AsBytes("b")), 5000 - kTokensPerChunk}};
  const EncodedObject object = Encode(record);
  EXPECT_EQ(object.id, HashOf(object.bytes));
  const StateRecord back = DecodeState(object.bytes, "it");
  EXPECT_EQ(back.description, record.description);
  EXPECT_EQ(back.segments, record.segments);
}

TEST(StateObject, EveryDTypeAndAnEmptySegmentComeBack) {
  StateRecord record = SampleState();
  record.description.spec = {{0, SegmentKind::kKeys, DType::kBF16, {3, 5}, "time,channel"},
                             {0, SegmentKind::kValues, DType::kF16, {7}, "channel"},
                             {1, SegmentKind::kKeys, DType::kF32, {0, 5}, "time,channel"}};
  record.segments = {SampleFloats(8, 1), SampleFloats(4, 2), {}};
  record.segments[0].resize(30);
  record.segments[1].resize(14);
  EXPECT_EQ(DecodeState(Encode(record).bytes, "it").segments, record.segments);
}

TEST(StateObject, WhatItWasContinuedFromComesBackAndNeedsItsOwnVersion) {
  StateRecord record = SampleState(50);
  record.description.profile = "exact-f32-r1+int8~";
  record.description.continued_from = {{"bf16-r1", 20}, {"int8-r1", 30}};
  const Bytes file = Encode(record).bytes;
  EXPECT_EQ(LoadLittle<uint32_t>(file.data() + 8), kContinuedObjectVersion);
  EXPECT_EQ(DecodeState(file, "it").description, record.description);
}

TEST(StateObject, AContinuationThatContradictsTheProfileOrTheHistoryIsRefused) {
  const auto refused = [](const std::string& profile, std::vector<Continuation> continued_from) {
    StateRecord record = SampleState(50);
    record.description.profile = profile;
    record.description.continued_from = std::move(continued_from);
    const Bytes file = Encode(record).bytes;
    ExpectError(ErrorKind::kCorrupt, "continuation", [&] { DecodeState(file, "it"); });
  };
  refused("exact-f32-r1~", {});
  refused("exact-f32-r1", {{"bf16-r1", 20}});
  refused("exact-f32-r1~", {{"bf16-r1", 0}});
  refused("exact-f32-r1~", {{"bf16-r1", 51}});
  refused("exact-f32-r1~", {{"bf16-r1", 20}, {"int8-r1", 20}});
  refused("exact-f32-r1~", std::vector<Continuation>(kContinuationsMax + 1, {"bf16-r1", 20}));
}

TEST(StateObject, EqualStatesAreEqualObjects) {
  EXPECT_EQ(Encode(SampleState()).id, Encode(SampleState()).id);
  EXPECT_NE(Encode(SampleState(5)).id, Encode(SampleState(6)).id);
}

TEST(StateObject, OneSegmentCanBeReadAlone) {
  const StateRecord record = SampleState();
  Bytes file = Encode(record).bytes;
  file.back() ^= std::byte{1};  // damages the last frame only
  StateReader reader(file, "it");
  EXPECT_EQ(reader.ReadSegment(2), record.segments[2]);
  ExpectError(ErrorKind::kCorrupt, "it: hidden [4]: damaged frame", [&] { reader.ReadSegment(4); });
}

TEST(StateObject, FloatsOfAStateTakeLessSpaceThanRaw) {
  StateRecord record = SampleState();
  record.description.spec = {{0, SegmentKind::kSsm, DType::kF32, {16, 768}, "state,channel"}};
  record.segments = {SampleFloats(16 * 768, 3)};
  EXPECT_LT(Encode(record).bytes.size(), record.segments[0].size() * 88 / 100);
}

TEST(StateObject, CutAtEveryByteIsRefused) {
  const Bytes file = Encode(SampleState()).bytes;
  for (size_t length = 0; length < file.size(); ++length) {
    const ByteSpan part = ByteSpan(file).first(length);
    EXPECT_THROW(DecodeState(part, "it"), Error) << length;
    EXPECT_THROW(VerifyState(part, "it"), Error) << length;
  }
}

TEST(StateObject, EveryFlippedByteIsNoticed) {
  Bytes file = Encode(SampleState()).bytes;
  for (size_t i = 0; i < file.size(); ++i) {
    for (const std::byte mask : {std::byte{1}, std::byte{0x80}}) {
      file[i] ^= mask;
      EXPECT_THROW(DecodeState(file, "it"), Error) << i;
      file[i] ^= mask;
    }
  }
  EXPECT_NO_THROW(DecodeState(file, "it"));
}

TEST(StateObject, BytesAfterTheLastFrameAreRefused) {
  Bytes file = Encode(SampleState()).bytes;
  file.push_back(std::byte{0});
  ExpectError(ErrorKind::kCorrupt, "expected", [&] { DecodeState(file, "it"); });
}

TEST(StateObject, ANewerVersionIsRefusedWithTheVersionNeeded) {
  Bytes file = Encode(SampleState()).bytes;
  StoreLittle<uint32_t>(5, file.data() + 8);
  ExpectError(ErrorKind::kUnsupported,
              "it: object format version 5, this statelib reads versions 1 to 4; use a statelib "
              "that reads version 5",
              [&] { DecodeState(file, "it"); });
}

TEST(StateObject, AHeaderThatPromisesTooMuchIsRefusedBeforeAnythingIsAllocated) {
  const Bytes file = Encode(SampleState()).bytes;
  StateHeader header = HeaderOf(file);
  header.description.spec[1].shape = {int64_t{1} << 20, int64_t{1} << 12};
  header.segments[1].raw_bytes = uint64_t{1} << 34;
  ExpectError(ErrorKind::kCorrupt, "segment of more than",
              [&] { DecodeState(WithHeader(file, SerializeHeader(header)), "it"); });

  header = HeaderOf(file);
  header.description.spec[1].shape = {1 << 14, 1 << 14};  // 1 GiB, which the frame does not hold
  header.segments[1].raw_bytes = uint64_t{1} << 30;
  ExpectError(ErrorKind::kCorrupt, "expected a frame that holds 1073741824 bytes",
              [&] { DecodeState(WithHeader(file, SerializeHeader(header)), "it"); });

  header = HeaderOf(file);
  header.segments[1].raw_bytes += 4;
  ExpectError(ErrorKind::kCorrupt, "raw bytes from its shape",
              [&] { DecodeState(WithHeader(file, SerializeHeader(header)), "it"); });
}

TEST(StateObject, AHeaderWithUnknownOrRepeatedFieldsIsRefused) {
  const Bytes file = Encode(SampleState()).bytes;
  const std::string header = SerializeHeader(HeaderOf(file));
  const std::string unknown_field("\x98\x3f\x01", 3);
  ExpectError(ErrorKind::kCorrupt, "canonical",
              [&] { DecodeState(WithHeader(file, header + unknown_field), "it"); });
  ExpectError(ErrorKind::kCorrupt, "canonical",
              [&] { DecodeState(WithHeader(file, std::string("\x0a\x00", 2) + header), "it"); });
  ExpectError(ErrorKind::kCorrupt, "not a message",
              [&] { DecodeState(WithHeader(file, header.substr(0, header.size() - 1)), "it"); });
}

TEST(StateObject, ContentThatIsNotWhatTheHeaderSaysIsFoundByVerify) {
  const StateRecord record = SampleState();
  const EncodedObject wrong =
      EncodeState(record.description, Views(record.segments), HashOf(AsBytes("other")));
  ExpectError(ErrorKind::kCorrupt, "expected content hash",
              [&] { VerifyState(wrong.bytes, "it"); });
  EXPECT_NO_THROW(VerifyState(Encode(record).bytes, "it"));
}

TEST(StateObject, OneThatHoldsNoNumbersIsRefusedWhereverItComesFrom) {
  StateRecord record = SampleState();
  StoreLittle(std::numeric_limits<float>::quiet_NaN(), record.segments[1].data());
  ExpectError(ErrorKind::kCorrupt, "NaN or infinity in layer 0 ssm",
              [&] { VerifyState(Encode(record).bytes, "it"); });
}

TEST(StateObject, TheContentDigestTellsSpecsAndBytesApart) {
  const StateRecord record = SampleState();
  const auto views = Views(record.segments);
  const Digest content = ContentDigest(record.description.spec, views);
  StateSpec other = record.description.spec;
  other[0].axes = "channel,time";
  EXPECT_NE(ContentDigest(other, views), content);
  auto changed = record.segments;
  changed[3][0] ^= std::byte{1};
  EXPECT_NE(ContentDigest(record.description.spec, Views(changed)), content);
}

TEST(StateObject, ChunksThatDoNotMakeTheHistoryAreRefused) {
  StateRecord record = SampleState(5000);
  record.description.tokens_kept = true;
  record.description.chunks = {{HashOf(AsBytes("a")), kTokensPerChunk}, {HashOf(ByteSpan()), 1}};
  ExpectError(ErrorKind::kCorrupt, "expected chunks of 5000 tokens, found 4097",
              [&] { DecodeState(Encode(record).bytes, "it"); });
}

}  // namespace
}  // namespace statelib::storage
