// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_STATESTORE_SAMPLE_STATE_H_
#define STATELIB_TESTS_STATESTORE_SAMPLE_STATE_H_

#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "statestore/storage/records.h"
#include "statestore/storage/state_object.h"

namespace statelib::storage {

inline ModelIdentity SampleModel(const std::string& name = "sample") {
  return {HashOf(AsBytes("model " + name)), "mamba", "2 layers, 8 wide, 32 tokens"};
}

/// Float values as a state has them: of many sizes and both signs.
inline Bytes SampleFloats(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Bytes bytes(count * sizeof(float));
  for (size_t i = 0; i < count; ++i) {
    const float value = normal(random) * std::exp(normal(random));
    std::memcpy(bytes.data() + i * sizeof(float), &value, sizeof(float));
  }
  return bytes;
}

/// A small state of two layers after the tokens first, first + 1, … (count of them), which are not
/// kept.
inline StateRecord SampleState(uint64_t token_count = 5, unsigned seed = 1,
                               const ModelIdentity& model = SampleModel()) {
  StateRecord record;
  record.description.model = model;
  record.description.profile = "cpu f32 revision 1";
  std::vector<TokenId> tokens(token_count);
  std::iota(tokens.begin(), tokens.end(), static_cast<TokenId>(seed));
  record.description.history.Append(tokens);
  for (int layer = 0; layer < 2; ++layer) {
    record.description.spec.push_back(
        {layer, SegmentKind::kConv, DType::kF32, {3, 8}, "time,channel"});
    record.description.spec.push_back(
        {layer, SegmentKind::kSsm, DType::kF32, {4, 8}, "state,channel"});
  }
  record.description.spec.push_back({-1, SegmentKind::kHidden, DType::kF32, {4}, "hidden"});
  for (const SegmentSpec& spec : record.description.spec)
    record.segments.push_back(SampleFloats(spec.elements(), seed++));
  return record;
}

/// A state like SampleState(token_count, seed) whose values are within 1 / 16384 of those of
/// SampleState(any, seed), as after some slow steps more.
inline StateRecord SampleStateNear(uint64_t token_count = 6, unsigned seed = 1) {
  StateRecord record = SampleState(token_count, seed);
  for (Bytes& segment : record.segments) {
    for (size_t at = 0; at < segment.size(); at += sizeof(float)) {
      float value = 0;
      std::memcpy(&value, segment.data() + at, sizeof(float));
      value *= 1 + std::ldexp(static_cast<float>(token_count % 7), -17);
      std::memcpy(segment.data() + at, &value, sizeof(float));
    }
  }
  return record;
}

inline std::vector<ByteSpan> Views(const std::vector<Bytes>& segments) {
  return {segments.begin(), segments.end()};
}

inline EncodedObject Encode(const StateRecord& record) {
  const std::vector<ByteSpan> views = Views(record.segments);
  return EncodeState(record.description, views, ContentDigest(record.description.spec, views));
}

}  // namespace statelib::storage

#endif  // STATELIB_TESTS_STATESTORE_SAMPLE_STATE_H_
