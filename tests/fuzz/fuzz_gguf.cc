// SPDX-License-Identifier: Apache-2.0
#include "core/model/gguf_reading.h"
#include "core/model_files/config_json.h"
#include "core/model_files/gguf_file.h"
#include "tests/fuzz/fuzz_tensors.h"

namespace statelib::model_files {
namespace {

/// Calls every accessor; those of another type refuse.
void Visit(const GgufValue& value) {
  const auto attempt = [](auto access) {
    try {
      access();
    } catch (const Error&) {
      // The value is of another type.
    }
  };
  attempt([&] { value.String(); });
  attempt([&] { value.Bool(); });
  attempt([&] { value.Uint(1000); });
  attempt([&] { value.Number(); });
  attempt([&] { value.Strings(); });
  attempt([&] { value.Integers(); });
  attempt([&] { value.Numbers(); });
}

void Read(ByteSpan file) {
  GgufContents contents = ParseGguf(file, "m.gguf");
  CheckTensors(contents.tensors);
  for (const GgufValue& value : contents.metadata.all()) Visit(value);
  const TensorTable table(std::move(contents.tensors), "m.gguf");
  const GgufTranslation translation = model::TranslateGguf(contents.metadata, table, "m.gguf");
  CheckTensors(translation.tensors);
  ParseConfig(AsBytes(translation.config), "m.gguf");
}

}  // namespace
}  // namespace statelib::model_files

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return statelib::ReadHostile(data, size, statelib::model_files::Read);
}
