// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_DOCUMENTS_DOCUMENT_TEMPLATE_H_
#define STATELIB_STATESTORE_DOCUMENTS_DOCUMENT_TEMPLATE_H_

#include <string>
#include <string_view>

namespace statelib::documents {

/// How several files become the text of one state: each file's text after a heading, and a
/// separator between two.
struct DocumentTemplate {
  std::string separator = {};
  std::string heading = {};  ///< with {path}, {name} and {stem} of the file; {{ is a brace
};

/// "\n", "\t", "\\" as the characters that they stand for, for texts from a command line. Errors:
/// kInvalidArgument for another character after a backslash.
std::string Unescaped(std::string_view text);

/// The inverse: as it is typed.
std::string Typed(std::string_view text);

/// What stands before the text of a file: the separator unless it is the first, and the heading.
/// Errors: kInvalidArgument for an unknown field of the heading.
std::string Before(const DocumentTemplate& how, const std::string& path, bool is_first);

}  // namespace statelib::documents

#endif  // STATELIB_STATESTORE_DOCUMENTS_DOCUMENT_TEMPLATE_H_
