// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/safetensors_file.h"
#include "tests/fuzz/fuzz_tensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return statelib::ReadHostile(data, size, [](statelib::ByteSpan file) {
    statelib::checkpoint::CheckTensors(
        statelib::checkpoint::ParseSafetensors(file, "m.safetensors"));
  });
}
