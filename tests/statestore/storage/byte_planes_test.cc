// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/byte_planes.h"

#include <gtest/gtest.h>

#include "tests/statestore/sample_state.h"

namespace statelib::storage {
namespace {

TEST(BytePlanes, TheExponentOfAFloatGetsAPlaneOfItsOwn) {
  const float values[] = {1.0f, -1.0f, 1.5f, -1.999f};
  const ByteSpan bytes = std::as_bytes(std::span(values));
  Bytes planes(bytes.size());
  SplitIntoPlanes(bytes, 4, planes);
  for (size_t i = 12; i < 16; ++i) EXPECT_EQ(planes[i], std::byte{127});
}

TEST(BytePlanes, JoiningGivesBackEveryElementOfEverySize) {
  for (const size_t element_bytes : {size_t{2}, size_t{4}}) {
    for (const size_t count : {0, 1, 2, 3, 7, 64, 65, 1000}) {
      const Bytes elements = SampleFloats((count * element_bytes + 3) / 4, 7);
      const ByteSpan part = ByteSpan(elements).first(count * element_bytes);
      Bytes planes(part.size());
      Bytes back(part.size());
      SplitIntoPlanes(part, element_bytes, planes);
      JoinPlanes(planes, element_bytes, back);
      EXPECT_EQ(back, Bytes(part.begin(), part.end())) << element_bytes << " x " << count;
    }
  }
}

}  // namespace
}  // namespace statelib::storage
