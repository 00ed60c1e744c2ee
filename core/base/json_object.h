// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_JSON_OBJECT_H_
#define STATELIB_CORE_BASE_JSON_OBJECT_H_

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace statelib {

/// A JSON object that is being written, member after member, by keys that are plain words. One
/// thread.
class JsonObject {
 public:
  /// A value that is JSON already.
  void AddRaw(std::string_view key, std::string_view json) {
    text_ += fmt::format("{}\"{}\": {}", text_.empty() ? "" : ", ", key, json);
  }
  void Add(std::string_view key, uint64_t value) { AddRaw(key, fmt::to_string(value)); }
  void AddBool(std::string_view key, bool value) { AddRaw(key, value ? "true" : "false"); }
  /// A word that needs no escapes.
  void AddWord(std::string_view key, std::string_view word) {
    AddRaw(key, fmt::format("\"{}\"", word));
  }
  /// A finite number by the fewest digits that give it back, in its own precision: 1e-05 for the
  /// float and not 9.99999975e-06.
  template <typename Float>
  void AddNumber(std::string_view key, Float value) {
    AddRaw(key, Shortest(value));
  }
  template <typename Float>
  static std::string Shortest(Float value) {
    char text[64];
    return {text, std::to_chars(text, text + sizeof(text), value).ptr};
  }

  std::string Finish() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_JSON_OBJECT_H_
