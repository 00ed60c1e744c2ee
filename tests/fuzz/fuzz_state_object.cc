// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/tokens_object.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/head_hash.h"
#include "tests/statestore/sample_state.h"

namespace statelib::storage {
namespace {

// A frame of few bytes may hold as much as a segment may have, which is more than a fuzzer has.
constexpr uint64_t kSegmentBytesTried = 64u << 20;

void Read(ByteSpan file) {
  static const Bytes kBase = Encode(SampleState()).bytes;
  const Bytes bytes = WithHeadHash(file);
  try {
    DecodeTokens(bytes, "it");
  } catch (const Error&) {
    // It is no tokens object, or a bad one.
  }
  StateReader reader(bytes, "it", FileHash::kChecked,
                     [](const ObjectId&) { return MemorySource::Keep(kBase); });
  const StateSpec& spec = reader.header().description.spec;
  for (size_t i = 0; i < spec.size(); ++i) {
    if (spec[i].bytes() <= kSegmentBytesTried)
      Promise(reader.ReadSegment(i).size() == spec[i].bytes());
  }
}

}  // namespace
}  // namespace statelib::storage

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return statelib::ReadHostile(data, size, statelib::storage::Read);
}
