// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_MODEL_FILES_GGUF_METADATA_H_
#define STATELIB_CORE_MODEL_FILES_GGUF_METADATA_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"

namespace statelib::model_files {

/// The types of metadata values; the numbers are the format's.
enum class GgufType : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

/// One metadata value, checked when it was parsed and decoded when it is asked for. Every accessor
/// throws kCorrupt with the file, the key, what was expected and what was found when the value is
/// of another type or out of range. It points into the file. Thread-compatible.
class GgufValue {
 public:
  const std::string& key() const { return key_; }
  bool IsArray() const { return type_ == GgufType::kArray; }
  bool IsString() const { return type_ == GgufType::kString; }

  GgufType type() const { return type_; }
  GgufType element_type() const { return element_type_; }  ///< of an array
  uint64_t count() const { return count_; }                ///< of an array's elements, else 1
  /// The value's bytes as they lie in the file: a string with its length, an array without its
  /// type and count.
  ByteSpan payload() const { return payload_; }

  std::string_view String() const;
  bool Bool() const;
  /// An integer of any width, at most `max`: writers do not agree on widths.
  uint64_t Uint(uint64_t max) const;
  /// A finite number: F32, F64 or an integer.
  double Number() const;

  /// Elements of an array.
  size_t size() const;
  std::vector<std::string_view> Strings() const;  ///< of an array of strings
  std::vector<int64_t> Integers() const;          ///< of an array of integers of any width
  std::vector<double> Numbers() const;            ///< of an array of numbers, not checked for NaN

 private:
  friend class GgufMetadataReader;

  std::string Found() const;
  [[noreturn]] void Fail(std::string_view expected) const;

  std::string key_;
  GgufType type_ = GgufType::kU8;
  GgufType element_type_ = GgufType::kU8;  ///< of an array
  uint64_t count_ = 1;
  ByteSpan payload_;
  std::shared_ptr<const std::string> path_;
};

/// The metadata of a GGUF file by key. Thread-compatible.
class GgufMetadata {
 public:
  GgufMetadata() = default;
  /// Errors: kCorrupt when a key stands there twice.
  GgufMetadata(std::vector<GgufValue> values, std::string path);

  /// The value, or nullptr.
  const GgufValue* Find(std::string_view key) const;
  /// The value. Errors: kCorrupt with the key and the file when there is none.
  const GgufValue& Get(std::string_view key) const;
  /// In the order of keys.
  const std::vector<GgufValue>& all() const { return values_; }

 private:
  std::vector<GgufValue> values_;
  std::string path_;
};

class ByteCursor;

/// Reads the key-value section. Errors: kCorrupt, kUnsupported for an array of arrays.
GgufMetadata ReadGgufMetadata(ByteCursor* cursor, uint64_t count, const std::string& path);

/// Reads a length and so many bytes. Errors: kCorrupt.
std::string_view ReadGgufString(ByteCursor* cursor, const char* what);

}  // namespace statelib::model_files

#endif  // STATELIB_CORE_MODEL_FILES_GGUF_METADATA_H_
