// SPDX-License-Identifier: Apache-2.0
#include "core/base/json.h"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "core/base/error.h"
#include "core/base/file_system.h"
#include "core/base/printable.h"

namespace statelib {

namespace dom = simdjson::dom;

namespace {

constexpr size_t kDepthMax = 256;

std::string Describe(dom::element element) {
  switch (element.type()) {
    case dom::element_type::ARRAY:
      return "an array";
    case dom::element_type::OBJECT:
      // How JSON spells a number that it has no word for (model_files/config_json.h).
      if (std::string_view word; element["__float__"].get(word) == simdjson::SUCCESS)
        return Quoted(word);
      return "an object";
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
      return "an integer";
    case dom::element_type::DOUBLE:
      return "a fraction";
    case dom::element_type::STRING:
      return "a string";
    case dom::element_type::BOOL:
      return "a boolean";
    case dom::element_type::NULL_VALUE:
      return "null";
  }
  return "something else";
}

/// A member's name in a path: as it is, or quoted where it would not read as one word.
std::string StepOf(std::string_view key) {
  constexpr size_t kPlainMax = 100;
  const bool is_plain =
      !key.empty() && key.size() <= kPlainMax &&
      std::ranges::all_of(key, [](char c) { return c > ' ' && c < 0x7f && c != '"'; });
  return is_plain ? std::string(key) : Quoted(key);
}

}  // namespace

struct JsonValue::Access {
  static_assert(sizeof(dom::element) == sizeof(JsonValue::element_) &&
                std::is_trivially_copyable_v<dom::element>);

  static dom::element Get(const JsonValue& value) {
    return std::bit_cast<dom::element>(value.element_);
  }

  static JsonValue Make(dom::element element, Crumb crumb) {
    JsonValue value;
    value.element_ = std::bit_cast<std::array<std::byte, 16>>(element);
    value.crumb_ = std::move(crumb);
    return value;
  }

  [[noreturn]] static void Fail(const JsonValue& value, std::string_view expected) {
    Throw(ErrorKind::kCorrupt, "{}: expected {}, found {}", value.Path(), expected,
          Describe(Get(value)));
  }

  template <typename T>
  static T As(const JsonValue& value, std::string_view expected) {
    T out;
    if (Get(value).get(out) != simdjson::SUCCESS) Fail(value, expected);
    return out;
  }
};

std::string JsonValue::Path() const {
  std::string path;
  for (const Crumb* crumb = &crumb_; crumb->parent; crumb = crumb->parent.get()) {
    const std::string step =
        crumb->in_array ? fmt::format("[{}]", crumb->index) : StepOf(crumb->key);
    path = path.empty() || path.front() == '[' ? step + path : step + "." + path;
  }
  return path.empty() ? std::string(crumb_.document) : fmt::format("{}: {}", crumb_.document, path);
}

std::string_view JsonValue::String() const {
  return Access::As<std::string_view>(*this, "a string");
}

bool JsonValue::Bool() const { return Access::As<bool>(*this, "true or false"); }

double JsonValue::Number() const { return Access::As<double>(*this, "a number"); }

int64_t JsonValue::Int(int64_t min, int64_t max) const {
  const auto value = Access::As<int64_t>(*this, "an integer");
  if (value < min || value > max) {
    Throw(ErrorKind::kCorrupt, "{}: expected an integer from {} to {}, found {}", Path(), min, max,
          value);
  }
  return value;
}

uint64_t JsonValue::Uint(uint64_t max) const {
  const auto value = Access::As<uint64_t>(*this, "an unsigned integer");
  if (value > max)
    Throw(ErrorKind::kCorrupt, "{}: expected at most {}, found {}", Path(), max, value);
  return value;
}

bool JsonValue::IsNull() const { return Access::Get(*this).is_null(); }
bool JsonValue::IsBool() const { return Access::Get(*this).is_bool(); }
bool JsonValue::IsString() const { return Access::Get(*this).is_string(); }
bool JsonValue::IsNumber() const { return Access::Get(*this).is_number(); }
bool JsonValue::IsInteger() const { return Access::Get(*this).is_int64(); }
bool JsonValue::IsObject() const { return Access::Get(*this).is_object(); }
bool JsonValue::IsArray() const { return Access::Get(*this).is_array(); }

std::optional<JsonValue> JsonValue::Find(std::string_view key) const {
  const auto object = Access::As<dom::object>(*this, "an object");
  dom::element member;
  if (object.at_key(key).get(member) != simdjson::SUCCESS || member.is_null()) return std::nullopt;
  return Access::Make(member, {std::make_shared<Crumb>(crumb_), crumb_.document, key, 0, false});
}

JsonValue JsonValue::operator[](std::string_view key) const {
  std::optional<JsonValue> member = Find(key);
  if (!member) Throw(ErrorKind::kCorrupt, "{}: the member \"{}\" is missing", Path(), key);
  return *member;
}

void JsonValue::ForEach(const std::function<void(JsonValue)>& visit) const {
  const auto array = Access::As<dom::array>(*this, "an array");
  const auto here = std::make_shared<const Crumb>(crumb_);
  size_t index = 0;
  for (const dom::element element : array) {
    visit(Access::Make(element, {here, crumb_.document, {}, index++, true}));
  }
}

void JsonValue::ForEachMember(const std::function<void(std::string_view, JsonValue)>& visit) const {
  // Sorted, for a hostile file's keys could make any hash of them collide.
  std::vector<std::string_view> keys;
  for (const dom::key_value_pair member : Access::As<dom::object>(*this, "an object")) {
    keys.push_back(member.key);
  }
  std::ranges::sort(keys);
  if (const auto twice = std::ranges::adjacent_find(keys); twice != keys.end()) {
    Throw(ErrorKind::kCorrupt, "{}: the key {} stands there twice", Path(), Quoted(*twice));
  }
  ForEachMemberUnchecked(visit);
}

void JsonValue::ForEachMemberUnchecked(
    const std::function<void(std::string_view, JsonValue)>& visit) const {
  const auto object = Access::As<dom::object>(*this, "an object");
  const auto here = std::make_shared<const Crumb>(crumb_);
  for (const dom::key_value_pair member : object) {
    visit(member.key, Access::Make(member.value, {here, crumb_.document, member.key, 0, false}));
  }
}

size_t JsonValue::size() const {
  // The parser's own size() saturates at 2^24 - 1 elements, which is beyond what any reader here
  // accepts.
  if (IsObject()) return Access::As<dom::object>(*this, "an object").size();
  return Access::As<dom::array>(*this, "an array or an object").size();
}

struct JsonDocument::Impl {
  std::string name;
  dom::parser parser;
  dom::element root;
};

JsonDocument::JsonDocument(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

JsonDocument JsonDocument::Parse(ByteSpan text, const std::string& name) {
  auto impl = std::make_unique<Impl>();
  impl->name = name;
  // The parser copies the text, with the padding that it wants behind it.
  auto failed = impl->parser.allocate(std::max<size_t>(text.size(), 64), kDepthMax);
  if (failed == simdjson::SUCCESS) {
    // No bytes may lie nowhere, and the parser wants a place to copy them from.
    const char* const from = text.empty() ? "" : reinterpret_cast<const char*>(text.data());
    failed = impl->parser.parse(from, text.size()).get(impl->root);
  }
  if (failed != simdjson::SUCCESS) {
    Throw(ErrorKind::kCorrupt, "{}: expected a JSON document, found {} bytes that are none: {}",
          name, text.size(), simdjson::error_message(failed));
  }
  return JsonDocument(std::move(impl));
}

JsonDocument JsonDocument::Read(const std::filesystem::path& path, uint64_t max_bytes) {
  return Parse(FileSystem::Real().ReadFile(path, max_bytes), path.string());
}

JsonValue JsonDocument::root() const {
  return JsonValue::Access::Make(impl_->root, {nullptr, impl_->name, {}, 0, false});
}

}  // namespace statelib
