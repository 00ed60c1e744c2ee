// SPDX-License-Identifier: Apache-2.0
// As the format has it, and as statelib's own model file, which may hold blocks.
#include "core/model_files/safetensors_file.h"
#include "tests/fuzz/fuzz_tensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace statelib::model_files;
  for (const BlockTypes block_types : {BlockTypes::kRefused, BlockTypes::kAccepted}) {
    statelib::ReadHostile(data, size, [&](statelib::ByteSpan file) {
      CheckTensors(ParseSafetensorsContents(file, "m.safetensors", block_types).tensors);
    });
  }
  return 0;
}
