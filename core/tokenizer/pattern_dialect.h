// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_PATTERN_DIALECT_H_
#define STATELIB_CORE_TOKENIZER_PATTERN_DIALECT_H_

#include <string>
#include <string_view>

namespace statelib::tokenizer {

/// Turns a regular expression of tokenizer.json (Oniguruma, Ruby syntax) into one that PCRE2 reads
/// alike: \s and \S become the code points of White_Space, for PCRE2's own \s also holds U+180E,
/// and \w becomes letters, marks, digits and connectors. What the two dialects read differently
/// (\h, \b, [a&&b], nested classes, …) is refused. Errors: kUnsupported with `location` and the
/// construct.
std::string TranslateExpression(std::string_view expression, const std::string& location);

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_PATTERN_DIALECT_H_
