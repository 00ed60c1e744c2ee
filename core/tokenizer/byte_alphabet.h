// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_TOKENIZER_BYTE_ALPHABET_H_
#define STATELIB_CORE_TOKENIZER_BYTE_ALPHABET_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace statelib::tokenizer {

/// The byte alphabet of byte-level tokenizers: every byte has one printable character that stands
/// for it in the vocabulary. 21..7E, A1..AC and AE..FF stand for themselves; the other 68 bytes, in
/// order, are U+0100 to U+0143 (so a space is U+0120). Source: Radford et al. 2019, GPT-2's
/// encoder.

/// The byte's character as UTF-8, one or two bytes long, valid for ever.
std::string_view CharacterOfByte(uint8_t byte);

/// The byte that a code point stands for; empty when it stands for none.
std::optional<uint8_t> ByteOfCharacter(char32_t code_point);

/// Appends the bytes that a token's characters stand for or, when one of them stands for none, the
/// token's own bytes: how added tokens such as runs of plain spaces survive. `token` is valid
/// UTF-8.
void AppendTokenBytes(std::string_view token, std::string& out);

}  // namespace statelib::tokenizer

#endif  // STATELIB_CORE_TOKENIZER_BYTE_ALPHABET_H_
