// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include "core/model_files/config_json.h"
#include "tests/fuzz/fuzz_input.h"

namespace statelib::model_files {
namespace {

// Members are visited to a depth that no configuration has; JsonDocument bounds the real one.
void Visit(const JsonValue& value) {
  if (value.IsObject()) {
    value.ForEachMember([](std::string_view, const JsonValue& member) { Visit(member); });
  } else if (value.IsArray()) {
    value.ForEach(Visit);
  } else if (value.IsNumber() || value.IsString()) {
    try {
      ExtendedNumber(value);
    } catch (const Error&) {
      // A text that is no number is refused, and the walk goes on.
    }
  }
}

}  // namespace
}  // namespace statelib::model_files

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return statelib::ReadHostile(data, size, [](statelib::ByteSpan text) {
    const auto document = statelib::model_files::ParseConfig(text, "config.json");
    statelib::model_files::Visit(document.root());
  });
}
