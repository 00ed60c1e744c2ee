// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/shard_index.h"
#include "tests/fuzz/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return statelib::ReadHostile(data, size, [](statelib::ByteSpan text) {
    for (const auto& [shard, names] : statelib::model_files::ParseShardIndex(text, "index.json")) {
      statelib::Promise(shard.find('/') == std::string::npos && shard != ".." && !names.empty());
    }
  });
}
