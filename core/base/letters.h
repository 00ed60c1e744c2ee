// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_LETTERS_H_
#define STATELIB_CORE_BASE_LETTERS_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace statelib {

/// What a character is, by its general category in Unicode.
enum class CharacterKind {
  kLetterOrDigit,
  kMark,  ///< belongs to the letter before it
  kOther,
  kInvalid,  ///< no UTF-8
};

struct Character {
  CharacterKind kind;
  size_t bytes;  ///< of the character at the front, or 1 where there is none
};

/// The character at the front of `text`, which must not be empty.
Character FrontCharacter(std::string_view text);

/// The text in normal form C, so that equal letters are equal bytes; as it is where it is not valid
/// UTF-8. For short texts: the time grows with the square of the marks in a row.
std::string Composed(std::string_view text);

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_LETTERS_H_
