// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_REFERENCE_H_
#define STATELIB_STATESTORE_STORAGE_REFERENCE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// Untrusted text as one printable line: control characters, quotes, backslashes and bytes that are
/// not UTF-8 as \xNN.
std::string Escaped(std::string_view text);

/// Of the names that `for_each` calls back with, the few nearest to `wanted` by edit distance,
/// nearest first; none that differs in more than a third of its characters.
std::vector<std::string> NearestNames(
    std::string_view wanted,
    const std::function<void(const std::function<void(const std::string&)>&)>& for_each);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_REFERENCE_H_
