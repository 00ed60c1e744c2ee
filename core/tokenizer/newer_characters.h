// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_NEWER_CHARACTERS_H_
#define STATELIB_CORE_TOKENIZER_NEWER_CHARACTERS_H_

namespace statelib::tokenizer {

/// Whether a code point has a part in normal forms (a combining class, a decomposition, a
/// composition) only since Unicode 10. To the published tokenizers, whose normal forms follow
/// Unicode 9, it is a character that stays where it stands and starts what comes behind it.
bool IsNewToNormalForms(char32_t code_point);

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_NEWER_CHARACTERS_H_
