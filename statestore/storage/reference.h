// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_REFERENCE_H_
#define STATELIB_STATESTORE_STORAGE_REFERENCE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace statelib::storage {

inline constexpr const char* kDefaultTag = "latest";
inline constexpr size_t kNameBytesMax = 128;

/// How people address a state: NAME[:TAG][@N]. A plain value.
struct Reference {
  std::string name;
  std::string tag = kDefaultTag;
  std::optional<uint64_t> version;  ///< empty: the current one

  bool operator==(const Reference&) const = default;

  /// "handbook", "handbook:draft", "handbook@3": the default tag is left out.
  std::string Text() const;

  /// Letters are composed. Errors: kInvalidArgument with the character that does not belong in it.
  static Reference Parse(std::string_view text);
};

/// A name is 1 to 128 bytes of composed (NFC) letters and digits of any script, . _ - and /; begins
/// with a letter or digit, does not end with / nor has two together. Errors: kInvalidArgument.
void CheckName(std::string_view name);
/// A tag is a name without /. Errors: kInvalidArgument.
void CheckTag(std::string_view tag);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_REFERENCE_H_
