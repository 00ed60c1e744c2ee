// SPDX-License-Identifier: Apache-2.0
// State objects that are differences to another one.
#include <gtest/gtest.h>

#include "statestore/storage/file_head.h"
#include "statestore/storage/message_codec.h"
#include "statestore/storage/state_object.h"
#include "statestore/storage/tokens_object.h"
#include "tests/statestore/expect_error.h"
#include "tests/statestore/sample_state.h"

namespace statelib::storage {
namespace {

EncodedObject EncodeAgainst(const StateRecord& record, const StateRecord& base,
                            const StateId& base_id) {
  const auto views = Views(record.segments);
  const auto base_views = Views(base.segments);
  const DeltaBase delta_base{base_id, base_views};
  return EncodeState(record.description, views, ContentDigest(record.description.spec, views),
                     Codec::kDelta, {}, &delta_base);
}

class DeltaObject : public testing::Test {
 protected:
  /// A source that has one object.
  static ObjectSource Only(const EncodedObject& object) {
    return [object](const ObjectId& id) {
      if (id != object.id) Throw(ErrorKind::kNotFound, "no object {}", id.ShortHex());
      return MemorySource::Keep(object.bytes);
    };
  }
  /// The delta as if its base were another object.
  void ExpectNoBase(const EncodedObject& other, const std::string& why) {
    const EncodedObject delta = EncodeAgainst(near_, base_, other.id);
    ExpectError(ErrorKind::kCorrupt, why, [&] { VerifyState(delta.bytes, "it", Only(other)); });
    ExpectError(ErrorKind::kCorrupt, "it: its base " + other.id.ShortHex(),
                [&] { DecodeState(delta.bytes, "it", FileHash::kUnchecked, Only(other)); });
  }

  StateRecord base_ = SampleState(5);
  StateRecord near_ = SampleStateNear(6);
  EncodedObject base_object_ = Encode(base_);
  EncodedObject delta_ = EncodeAgainst(near_, base_, base_object_.id);
};

TEST_F(DeltaObject, HoldsTheSameBitsInLessSpace) {
  const StateRecord back =
      DecodeState(delta_.bytes, "it", FileHash::kUnchecked, Only(base_object_));
  EXPECT_EQ(back.segments, near_.segments);
  EXPECT_EQ(back.description, near_.description);
  EXPECT_LT(delta_.bytes.size(), Encode(near_).bytes.size());
  const StateHeader header = VerifyState(delta_.bytes, "it", Only(base_object_));
  EXPECT_EQ(header.base, base_object_.id);
  EXPECT_EQ(header.content, ContentDigest(near_.description.spec, Views(near_.segments)));
}

TEST_F(DeltaObject, HasAFormatVersionOfItsOwnAndLeavesTheHiddenVectorExact) {
  EXPECT_EQ(VersionOf(delta_.bytes), 3u);
  const StateHeader header = StateReader(delta_.bytes, "it").header();
  EXPECT_EQ(header.segments.front().codec, Codec::kDelta);
  EXPECT_EQ(header.segments.back().codec, Codec::kExact);
}

TEST_F(DeltaObject, WhoseSegmentsDoNotShrinkIsTheExactObject) {
  const StateRecord far = SampleState(6, 99);
  const EncodedObject object = EncodeAgainst(far, base_, base_object_.id);
  EXPECT_EQ(object.id, Encode(far).id);
  EXPECT_EQ(DecodeState(object.bytes, "it").segments, far.segments);
}

TEST_F(DeltaObject, ShrinksSegmentBySegment) {
  StateRecord mixed = near_;
  mixed.segments[1] = SampleFloats(mixed.description.spec[1].elements(), 99);
  const EncodedObject object = EncodeAgainst(mixed, base_, base_object_.id);
  const StateHeader header = StateReader(object.bytes, "it").header();
  EXPECT_EQ(header.segments[0].codec, Codec::kDelta);
  EXPECT_EQ(header.segments[1].codec, Codec::kExact);
  EXPECT_EQ(DecodeState(object.bytes, "it", FileHash::kUnchecked, Only(base_object_)).segments,
            mixed.segments);
}

TEST_F(DeltaObject, ReadsOneExactSegmentWithoutItsBase) {
  StateReader reader(delta_.bytes, "it");
  EXPECT_EQ(reader.ReadSegment(4), near_.segments[4]);
  ExpectError(ErrorKind::kCorrupt, "is missing", [&] { reader.ReadSegment(0); });
}

TEST_F(DeltaObject, IsNeverDecodedWithAWrongBase) {
  ExpectError(ErrorKind::kCorrupt, "it: its base " + base_object_.id.ShortHex() + " is missing",
              [&] { DecodeState(delta_.bytes, "it", FileHash::kUnchecked, Only(delta_)); });
  ExpectNoBase(delta_, "found one that is a delta itself");
  ExpectNoBase(Encode(SampleState(5, 1, SampleModel("other"))), "of another model");
  StateRecord other = base_;
  other.description.profile = "another";
  ExpectNoBase(Encode(other), "of another numerics profile");
  other = base_;
  other.description.spec[0].axes = "channel,time";
  ExpectNoBase(Encode(other), "of other segments");
  ExpectNoBase(EncodeTokens(std::vector<TokenId>{1, 2}), "expected a state object");
  Bytes cut = base_object_.bytes;
  cut.pop_back();
  ExpectNoBase({HashOf(cut), cut}, "");
}

TEST_F(DeltaObject, PassesOnWhatIsWrongWithTheBasesFile) {
  const ObjectSource damaged = [](const ObjectId&) -> std::unique_ptr<const ByteSource> {
    Throw(ErrorKind::kCorrupt, "damaged object");
  };
  ExpectError(ErrorKind::kCorrupt, "damaged object",
              [&] { VerifyState(delta_.bytes, "it", damaged); });
}

TEST_F(DeltaObject, OfTheRightKindButOtherValuesIsFoundByVerify) {
  StateRecord other = base_;
  other.segments[1][2] ^= std::byte{1};
  const EncodedObject lie = EncodeAgainst(near_, other, base_object_.id);
  ExpectError(ErrorKind::kCorrupt, "expected content hash",
              [&] { VerifyState(lie.bytes, "it", Only(base_object_)); });
}

TEST_F(DeltaObject, ABaseWithoutDifferencesOrTheReverseIsRefused) {
  const auto refuse = [&](const EncodedObject& object, const std::optional<StateId>& base,
                          uint32_t version) {
    StateHeader header = StateReader(object.bytes, "it").header();
    header.base = base;
    Bytes bytes = MakeHead(kObjectFile, version, AsBytes(SerializeHeader(header)));
    const size_t head = HeadBytes(LoadLittle<uint32_t>(object.bytes.data() + 12));
    bytes.insert(bytes.end(), object.bytes.begin() + static_cast<std::ptrdiff_t>(head),
                 object.bytes.end());
    ExpectError(ErrorKind::kCorrupt, "found one without the other",
                [&] { VerifyState(bytes, "it", Only(base_object_)); });
  };
  refuse(delta_, {}, 2);
  refuse(base_object_, delta_.id, 3);
}

TEST_F(DeltaObject, CutAtAnyByteOrWithAnyByteChangedIsRefused) {
  Bytes bytes = delta_.bytes;
  for (size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_THROW(VerifyState(ByteSpan(bytes).first(i), "it", Only(base_object_)), Error) << i;
    bytes[i] ^= std::byte{0x10};
    EXPECT_THROW(VerifyState(bytes, "it", Only(base_object_)), Error) << i;
    bytes[i] ^= std::byte{0x10};
  }
  EXPECT_NO_THROW(VerifyState(bytes, "it", Only(base_object_)));
}

TEST_F(DeltaObject, NeedsABaseToBeWritten) {
  const auto views = Views(near_.segments);
  ExpectError(ErrorKind::kInvalidArgument, "a delta needs a base",
              [&] { EncodeState(near_.description, views, {}, Codec::kDelta); });
}

}  // namespace
}  // namespace statelib::storage
