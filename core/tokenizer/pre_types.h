// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_PRE_TYPES_H_
#define STATELIB_CORE_TOKENIZER_PRE_TYPES_H_

#include <span>
#include <string>
#include <string_view>

namespace statelib::tokenizer {

/// What a name in GGUF's "tokenizer.ggml.pre" stands for.
struct PreType {
  std::span<const std::string_view> names;
  /// Cut a text one after the other, each what the one before left together.
  std::span<const std::string_view> expressions = {};
  /// Instead of expressions: the pre-tokenizer of the published tokenizer.json, which cuts the
  /// bytes of a character too.
  const char* published = nullptr;
  bool composes = false;  ///< the text is brought to normal form C first
  bool ignores_merges = false;
  bool adds_begin = false;  ///< unless the file says otherwise
};

/// Errors: kUnsupported with the names that are known, or for no name at all.
const PreType& FindPreType(std::string_view pre, const std::string& file);

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_PRE_TYPES_H_
