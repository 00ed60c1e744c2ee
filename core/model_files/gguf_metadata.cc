// SPDX-License-Identifier: Apache-2.0
#include "core/model_files/gguf_metadata.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/model_files/byte_cursor.h"
#include "core/model_files/tensor_text.h"

namespace statelib::model_files {

namespace {

struct TypeInfo {
  const char* name;
  uint32_t bytes;  ///< 0 for strings and arrays
};

// By the format's numbers.
constexpr std::array<TypeInfo, 13> kTypes = {{{"u8", 1},
                                              {"i8", 1},
                                              {"u16", 2},
                                              {"i16", 2},
                                              {"u32", 4},
                                              {"i32", 4},
                                              {"f32", 4},
                                              {"bool", 1},
                                              {"string", 0},
                                              {"array", 0},
                                              {"u64", 8},
                                              {"i64", 8},
                                              {"f64", 8}}};
constexpr uint64_t kLeastBytes = 13;  // of a pair: empty key, type, one byte

const TypeInfo& InfoOf(GgufType type) { return kTypes[static_cast<size_t>(type)]; }

/// A number of any type, widened. `negative` tells -1 from 2^64 - 1, whose bits are the same.
struct AnyNumber {
  bool is_integer = false;
  bool negative = false;
  uint64_t bits = 0;  ///< the integer in two's complement
  double value = 0;
};

template <typename T>
AnyNumber LoadNumber(const std::byte* from) {
  const T value = LoadLittle<T>(from);
  AnyNumber number;
  number.value = static_cast<double>(value);
  if constexpr (std::is_integral_v<T>) {
    number.is_integer = true;
    number.negative = value < T{0};
    number.bits = static_cast<uint64_t>(value);
  }
  return number;
}

std::optional<AnyNumber> NumberAt(GgufType type, const std::byte* from) {
  switch (type) {
    case GgufType::kU8:
      return LoadNumber<uint8_t>(from);
    case GgufType::kI8:
      return LoadNumber<int8_t>(from);
    case GgufType::kU16:
      return LoadNumber<uint16_t>(from);
    case GgufType::kI16:
      return LoadNumber<int16_t>(from);
    case GgufType::kU32:
      return LoadNumber<uint32_t>(from);
    case GgufType::kI32:
      return LoadNumber<int32_t>(from);
    case GgufType::kU64:
      return LoadNumber<uint64_t>(from);
    case GgufType::kI64:
      return LoadNumber<int64_t>(from);
    case GgufType::kF32:
      return LoadNumber<float>(from);
    case GgufType::kF64:
      return LoadNumber<double>(from);
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string_view ReadGgufString(ByteCursor* cursor, const char* what) {
  const auto length = cursor->Read<uint64_t>(what);
  return AsText(cursor->Take(length, what));
}

std::string GgufValue::Found() const {
  if (!IsArray()) return InfoOf(type_).name;
  return fmt::format("an array of {} {}", count_, InfoOf(element_type_).name);
}

void GgufValue::Fail(std::string_view expected) const {
  Throw(ErrorKind::kCorrupt, "{}: metadata {}: expected {}, found {}", *path_, Quoted(key_),
        expected, Found());
}

std::string_view GgufValue::String() const {
  if (!IsString()) Fail("a string");
  return AsText(payload_.subspan(sizeof(uint64_t)));
}

bool GgufValue::Bool() const {
  if (type_ != GgufType::kBool) Fail("a bool");
  return payload_[0] != std::byte{0};
}

uint64_t GgufValue::Uint(uint64_t max) const {
  const std::optional<AnyNumber> number = NumberAt(type_, payload_.data());
  if (!number || !number->is_integer) Fail("an integer");
  if (number->negative || number->bits > max) {
    Throw(ErrorKind::kCorrupt, "{}: metadata {}: expected an integer from 0 to {}, found {}",
          *path_, Quoted(key_), max,
          number->negative ? fmt::to_string(static_cast<int64_t>(number->bits))
                           : fmt::to_string(number->bits));
  }
  return number->bits;
}

double GgufValue::Number() const {
  const std::optional<AnyNumber> number = NumberAt(type_, payload_.data());
  if (!number) Fail("a number");
  if (!std::isfinite(number->value)) Fail("a finite number");
  return number->value;
}

size_t GgufValue::size() const {
  if (!IsArray()) Fail("an array");
  return count_;
}

std::vector<std::string_view> GgufValue::Strings() const {
  if (!IsArray() || element_type_ != GgufType::kString) Fail("an array of strings");
  ByteCursor cursor(payload_, *path_);
  std::vector<std::string_view> strings;
  strings.reserve(count_);  // each was read once when the file was parsed
  for (uint64_t i = 0; i < count_; ++i) strings.push_back(ReadGgufString(&cursor, "string"));
  return strings;
}

std::vector<int64_t> GgufValue::Integers() const {
  std::vector<int64_t> integers;
  const uint32_t bytes = IsArray() ? InfoOf(element_type_).bytes : 0;
  for (uint64_t i = 0; bytes > 0 && i < count_; ++i) {
    const std::optional<AnyNumber> number = NumberAt(element_type_, &payload_[i * bytes]);
    if (!number || !number->is_integer) break;
    const auto integer = static_cast<int64_t>(number->bits);
    if ((integer < 0) != number->negative) break;  // beyond 63 bits
    integers.push_back(integer);
  }
  if (!IsArray() || integers.size() != count_) Fail("an array of integers of at most 63 bits");
  return integers;
}

std::vector<double> GgufValue::Numbers() const {
  std::vector<double> numbers;
  const uint32_t bytes = IsArray() ? InfoOf(element_type_).bytes : 0;
  for (uint64_t i = 0; bytes > 0 && i < count_; ++i) {
    const std::optional<AnyNumber> number = NumberAt(element_type_, &payload_[i * bytes]);
    if (!number) break;
    numbers.push_back(number->value);
  }
  if (!IsArray() || numbers.size() != count_) Fail("an array of numbers");
  return numbers;
}

/// Fills GgufValue objects from the file.
class GgufMetadataReader {
 public:
  GgufMetadataReader(ByteCursor* cursor, const std::string& path)
      : cursor_(cursor), path_(std::make_shared<const std::string>(path)) {}

  GgufValue Read() {
    GgufValue value;
    const std::string_view key = ReadGgufString(cursor_, "key");
    if (!IsPlainName(key)) {
      Throw(ErrorKind::kCorrupt,
            "{}: expected metadata keys of 1 to 1024 bytes without control characters, found {}",
            *path_, Quoted(key));
    }
    value.key_ = key;
    value.path_ = path_;
    value.type_ = ReadType(value.key_);
    if (value.IsArray()) {
      value.element_type_ = ReadType(value.key_);
      value.count_ = cursor_->Read<uint64_t>("array length");
      value.payload_ = ReadElements(value);
    } else {
      value.payload_ = TakeOne(value.type_);
    }
    return value;
  }

 private:
  GgufType ReadType(const std::string& key) {
    const auto number = cursor_->Read<uint32_t>("value type");
    if (number >= kTypes.size()) {
      Throw(ErrorKind::kCorrupt, "{}: metadata {}: expected a type from 0 to {}, found {}", *path_,
            Quoted(key), kTypes.size() - 1, number);
    }
    return static_cast<GgufType>(number);
  }

  ByteSpan TakeOne(GgufType type) {
    if (type != GgufType::kString) return cursor_->Take(InfoOf(type).bytes, "value");
    const ByteSpan length = cursor_->Take(sizeof(uint64_t), "string length");
    const ByteSpan text = cursor_->Take(LoadLittle<uint64_t>(length.data()), "string");
    return {length.data(), length.size() + text.size()};
  }

  ByteSpan ReadElements(const GgufValue& value) {
    if (value.element_type_ == GgufType::kArray) {
      Throw(ErrorKind::kUnsupported,
            "{}: metadata {}: expected an array of plain values, found an array of arrays", *path_,
            Quoted(value.key_));
    }
    const uint32_t bytes = InfoOf(value.element_type_).bytes;
    if (bytes > 0) {
      uint64_t total = 0;
      if (__builtin_mul_overflow(value.count_, uint64_t{bytes}, &total)) {
        total = std::numeric_limits<uint64_t>::max();  // more than any file holds
      }
      return cursor_->Take(total, "array");
    }
    const ByteSpan start = cursor_->Take(0, "array");
    size_t length = 0;
    for (uint64_t i = 0; i < value.count_; ++i) length += TakeOne(GgufType::kString).size();
    return {start.data(), length};
  }

  ByteCursor* cursor_;
  std::shared_ptr<const std::string> path_;
};

GgufMetadata ReadGgufMetadata(ByteCursor* cursor, uint64_t count, const std::string& path) {
  constexpr uint64_t kPairsMax = 100'000;
  const uint64_t most = std::min(kPairsMax, cursor->left() / kLeastBytes);
  if (count > most) {
    Throw(ErrorKind::kCorrupt, "{}: expected at most {} metadata values, found {}", path, most,
          count);
  }
  GgufMetadataReader reader(cursor, path);
  std::vector<GgufValue> values;
  for (uint64_t i = 0; i < count; ++i) values.push_back(reader.Read());
  return GgufMetadata(std::move(values), path);
}

GgufMetadata::GgufMetadata(std::vector<GgufValue> values, std::string path)
    : values_(std::move(values)), path_(std::move(path)) {
  std::ranges::sort(values_, {}, &GgufValue::key);
  const auto twice = std::ranges::adjacent_find(values_, {}, &GgufValue::key);
  if (twice != values_.end()) {
    Throw(ErrorKind::kCorrupt, "{}: expected every metadata key once, found {} twice", path_,
          Quoted(twice->key()));
  }
}

const GgufValue* GgufMetadata::Find(std::string_view key) const {
  const auto found = std::ranges::lower_bound(values_, key, {}, &GgufValue::key);
  return found != values_.end() && found->key() == key ? &*found : nullptr;
}

const GgufValue& GgufMetadata::Get(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) {
    Throw(ErrorKind::kCorrupt, "{}: expected the metadata {}, found {} others", path_, Quoted(key),
          values_.size());
  }
  return *value;
}

}  // namespace statelib::model_files
