// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_JSON_H_
#define STATELIB_CORE_BASE_JSON_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"

namespace statelib {

/// A checked view of one value of a parsed JSON document. It knows where it stands ("config.json:
/// layers[3].shape"), so every error names the place, what was expected and what was found:
/// kCorrupt for the wrong type or a missing member. Cheap to copy. Valid while its JsonDocument
/// lives. Thread-compatible.
class JsonValue {
 public:
  std::string_view String() const;
  bool Bool() const;
  double Number() const;  ///< any finite number
  /// An integer in [min, max]; never goes through double.
  int64_t Int(int64_t min, int64_t max) const;
  uint64_t Uint(uint64_t max) const;

  bool IsNull() const;
  bool IsBool() const;
  bool IsString() const;
  bool IsNumber() const;
  bool IsInteger() const;  ///< one that Int() can give
  bool IsObject() const;
  bool IsArray() const;

  /// The member; kCorrupt when it is missing.
  JsonValue operator[](std::string_view key) const;
  /// The member, or empty when it is missing or null.
  std::optional<JsonValue> Find(std::string_view key) const;
  /// Calls back for every element of an array, in order.
  void ForEach(const std::function<void(JsonValue)>& visit) const;
  /// Calls back for every member of an object, in file order. Errors: kCorrupt on a duplicate key.
  void ForEachMember(const std::function<void(std::string_view, JsonValue)>& visit) const;
  /// The same without looking for duplicate keys: for large objects whose reader puts the keys into
  /// a table of its own, and refuses a duplicate there.
  void ForEachMemberUnchecked(const std::function<void(std::string_view, JsonValue)>& visit) const;
  size_t size() const;  ///< elements of an array, members of an object

  std::string Path() const;  ///< "config.json: time_step_rank", for messages of callers

 private:
  friend class JsonDocument;
  struct Access;  // json.cc: what needs the parser's own types
  /// Where a container stands; shared by all views of its elements.
  struct Crumb {
    std::shared_ptr<const Crumb> parent;  ///< empty for the root
    std::string_view document;
    std::string_view key;
    size_t index = 0;
    bool in_array = false;
  };
  JsonValue() = default;

  alignas(8) std::array<std::byte, 16> element_{};  ///< the parser's own handle
  Crumb crumb_;
};

/// A JSON document (RFC 8259), parsed whole, nesting limited to 256. Move-only.
class JsonDocument {
 public:
  /// Errors: kCorrupt with `name` and the parser's reason.
  static JsonDocument Parse(ByteSpan text, const std::string& name);
  /// Reads a file of at most max_bytes and parses it under its path as name.
  static JsonDocument Read(const std::filesystem::path& path, uint64_t max_bytes);

  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;
  ~JsonDocument();

  JsonValue root() const;

 private:
  struct Impl;
  explicit JsonDocument(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_JSON_H_
