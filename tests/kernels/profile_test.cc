// SPDX-License-Identifier: Apache-2.0
#include "kernels/profile.h"

#include <gmock/gmock.h>

#include "kernels/backends.h"

namespace statelib::kernels {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string NameFor(WeightFormat format, bool has_blocks) {
  return MakeReferenceBackend()->ProfileOf({format, has_blocks});
}

TEST(Profile, EveryFormatNamesItsOwn) {
  EXPECT_EQ(NameFor(WeightFormat::kStored, false), "exact-f32-r1");
  EXPECT_EQ(NameFor(WeightFormat::kStored, true), "blocks-r1");
  EXPECT_EQ(NameFor(WeightFormat::kF32, true), "exact-f32-r1");
  EXPECT_EQ(NameFor(WeightFormat::kBF16, false), "bf16-r1");
  EXPECT_EQ(NameFor(WeightFormat::kInt8, true), "int8-r1");
  EXPECT_EQ(NameFor(WeightFormat::kInt4, false), "int4-r1");
}

TEST(Profile, EveryCpuBackendNamesWhatTheReferenceNames) {
  const auto cpu = MakeCpuBackend(1);
  for (const WeightFormat format : {WeightFormat::kStored, WeightFormat::kF32, WeightFormat::kBF16,
                                    WeightFormat::kInt8, WeightFormat::kInt4})
    for (const bool has_blocks : {false, true})
      EXPECT_EQ(cpu->ProfileOf({format, has_blocks}), NameFor(format, has_blocks));
}

TEST(Profile, AFamilyOfOperationsAndTheTypeOfKeysAndValuesAreInTheName) {
  ProfileRequest request;
  request.operations = {Operation::kAttention, Operation::kAttention};
  EXPECT_EQ(BaseProfile("exact-f32-r1", request), "exact-f32-r1.attnr1");
  request.keys_and_values = DType::kBF16;
  EXPECT_EQ(BaseProfile("bf16-sm90-r1", request), "bf16-sm90-r1.attnr1.kv-bf16");
}

TEST(Profile, IsTakenApartIntoBaseMarksAndWhetherItWasContinued) {
  const Profile plain = Profile::Parse("exact-f32-r1");
  EXPECT_EQ(plain.base, "exact-f32-r1");
  EXPECT_THAT(plain.marks, IsEmpty());
  EXPECT_FALSE(plain.continued);

  const Profile all = Profile::Parse("bf16-sm90-r1.attnr1+int8+edited~");
  EXPECT_EQ(all.base, "bf16-sm90-r1.attnr1");
  EXPECT_THAT(all.marks, ElementsAre("int8", "edited"));
  EXPECT_TRUE(all.continued);
  EXPECT_TRUE(all.HasMark("edited"));
  EXPECT_FALSE(all.HasMark("edit"));
}

TEST(Profile, AnyTextIsItsOwnNameAgain) {
  for (const char* name :
       {"", "~", "+", "++~", "exact-f32-r1", "exact-f32-r1+int8", "a~b", "a+b~", "a~~", "a+~"})
    EXPECT_EQ(Profile::Parse(name).Name(), name);
}

}  // namespace
}  // namespace statelib::kernels
