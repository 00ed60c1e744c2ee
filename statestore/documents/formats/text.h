// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_DOCUMENTS_FORMATS_TEXT_H_
#define STATELIB_STATESTORE_DOCUMENTS_FORMATS_TEXT_H_

#include <optional>
#include <string>
#include <string_view>

namespace statelib::documents {

struct DecodedText {
  std::string encoding;  ///< as iconv calls it
  std::string text;      ///< valid UTF-8
  bool guessed = false;  ///< neither a mark, being UTF-8 nor a declaration says so
};

/// Bytes in some encoding as UTF-8. `declared` is the encoding that a page says it has, or empty; a
/// byte order mark and being UTF-8 count for more. Errors: kUnsupported for what is no text,
/// kInvalidArgument for a text that is too long.
DecodedText Decode(std::string_view bytes, const std::string& declared, const std::string& name);

}  // namespace statelib::documents

#endif  // STATELIB_STATESTORE_DOCUMENTS_FORMATS_TEXT_H_
