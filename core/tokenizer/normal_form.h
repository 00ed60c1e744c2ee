// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_NORMAL_FORM_H_
#define STATELIB_CORE_TOKENIZER_NORMAL_FORM_H_

#include <string>
#include <string_view>

namespace statelib::tokenizer {

enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };

/// A text in one of Unicode's normal forms (Unicode Standard Annex #15) as the published tokenizers
/// compute them: characters that are newer than their tables (newer_characters.h) stay as they are,
/// whatever Unicode this build's utf8proc knows. `text` is valid UTF-8.
/// Cost: a copy where no character can change (ASCII, for NFC Latin-1 too); else O(n), O(n log n)
/// for a run of n combining marks.
std::string Normalize(std::string_view text, NormalForm form);

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_NORMAL_FORM_H_
