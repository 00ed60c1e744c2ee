// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/torch_file.h"
#include "tests/fuzz/fuzz_tensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return statelib::ReadHostile(data, size, [](statelib::ByteSpan file) {
    const auto parsed = statelib::model_files::ParseTorchFile(file, "m.bin");
    statelib::model_files::CheckTensors(parsed.tensors);
  });
}
