// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_UTF8_H_
#define STATELIB_CORE_BASE_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace statelib {

/// What stands at the front of some bytes, read as UTF-8 (The Unicode Standard, table 3-7).
struct Utf8Unit {
  enum class Kind : uint8_t {
    kCharacter,   ///< a whole character
    kIncomplete,  ///< the bytes end inside a character that more bytes could complete
    kInvalid,     ///< a maximal sequence that no further byte can turn into a character
  };
  Kind kind;
  uint8_t length;       ///< bytes of the character or sequence, 1 to 4
  char32_t code_point;  ///< of a character, else U+FFFD
};

/// `bytes` must not be empty.
Utf8Unit FrontUnit(std::string_view bytes);

/// The longest text that is taken as a whole, from a document or by the tokenizer, which makes none
/// longer on the way: 64 MiB. It bounds memory: a text that is one pre-token needs some 60 times
/// its size while it is encoded.
inline constexpr size_t kWholeTextBytesMax = size_t{1} << 26;

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

/// The length of the longest front of `bytes` that is valid UTF-8.
size_t ValidPrefixLength(std::string_view bytes);

/// Appends `bytes` with U+FFFD for every maximal invalid sequence, up to an incomplete character at
/// the end. Returns the bytes used: all but at most three.
size_t AppendComplete(std::string_view bytes, std::string& out);

/// As AppendComplete, with U+FFFD for an incomplete character at the end too.
void AppendLossy(std::string_view bytes, std::string& out);

/// Appends a code point that is no surrogate and at most U+10FFFF.
void AppendCodePoint(char32_t code_point, std::string& out);

/// Unicode's White_Space property (the \s of tokenizer patterns).
bool IsWhiteSpace(char32_t code_point);

/// How many bytes at the front, or at the end, of valid UTF-8 are white space.
size_t LeadingWhiteSpace(std::string_view text);
size_t TrailingWhiteSpace(std::string_view text);

/// Where the last character of valid UTF-8 begins. `text` must not be empty.
size_t LastCharacterBegin(std::string_view text);

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_UTF8_H_
