// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_STATESTORE_LARGE_STATE_H_
#define STATELIB_TESTS_STATESTORE_LARGE_STATE_H_

#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/peak_memory.h"
#include "tests/sanitized.h"
#include "tests/statestore/sample_library.h"

// States that are far larger than what may be held in memory of them.
namespace statelib::storage {

inline constexpr size_t kLargeSegmentBytes = size_t{4} << 20;
/// Many, for the state as a whole is what must not be held; few where nothing is measured.
inline constexpr size_t kLargeSegments = kIsSanitized ? 2 : 24;
/// What taking one in may cost beside a segment's frame.
inline constexpr uint64_t kLargePeakBytes = (uint64_t{64} << 20) + kLargeSegmentBytes;

/// Finite floats near 1 that no compressor makes smaller by much, some of them changed by their
/// last bit where `changed`.
inline Bytes LargeSegment(bool changed = false) {
  std::mt19937 random(7);
  Bytes bytes(kLargeSegmentBytes);
  for (size_t at = 0; at < bytes.size(); at += sizeof(uint32_t)) {
    const uint32_t bits = 0x3f000000u | static_cast<uint32_t>(random() & 0x80ffffffu);
    StoreLittle(changed && at % 4096 == 0 ? bits ^ 1u : bits, bytes.data() + at);
  }
  return bytes;
}

/// Publishes a state of kLargeSegments segments of kLargeSegmentBytes bytes each; as a difference
/// to `base` where there is one.
inline StateId PublishLarge(Repository& repository, const std::string& name,
                            std::optional<StateId> base = {}) {
  SampleNewState sample(base ? 6 : 5, 1);
  sample.state.description.spec.clear();
  const Bytes segment = LargeSegment(base.has_value());
  const std::vector<ByteSpan> views(kLargeSegments, segment);
  for (size_t i = 0; i < kLargeSegments; ++i) {
    sample.state.description.spec.push_back({static_cast<int32_t>(i),
                                             SegmentKind::kSsm,
                                             DType::kF32,
                                             {16, kLargeSegmentBytes / 64},
                                             "state,channel"});
  }
  sample.state.segments = views;
  sample.state.prefix = base;
  if (base) sample.state.codec = Codec::kDelta;
  return Publish(repository, sample.state, {}, Reference::Parse(name), 1000).state.id;
}

/// Expects that `work` takes little memory.
template <typename Work>
void ExpectLittleMemory(const char* what, const Work& work) {
  EXPECT_LT(PeakOf(work).value_or(0), kLargePeakBytes) << what;
}

}  // namespace statelib::storage

#endif  // STATELIB_TESTS_STATESTORE_LARGE_STATE_H_
