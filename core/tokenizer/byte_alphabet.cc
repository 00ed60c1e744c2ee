// SPDX-License-Identifier: Apache-2.0
#include "core/tokenizer/byte_alphabet.h"

#include <array>
#include <cstddef>

#include "core/base/utf8.h"

namespace statelib::tokenizer {

namespace {

constexpr char32_t kFirstShifted = 0x100;
constexpr size_t kCodePoints = 0x144;  // the highest character of the alphabet, and one

constexpr bool StandsForItself(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

struct Alphabet {
  std::array<std::array<char, 2>, 256> text{};
  std::array<uint8_t, 256> length{};
  std::array<int16_t, kCodePoints> byte{};  // -1: the code point stands for no byte
};

constexpr Alphabet MakeAlphabet() {
  Alphabet alphabet;
  for (int16_t& byte : alphabet.byte) byte = -1;
  char32_t shifted = kFirstShifted;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const char32_t code_point = StandsForItself(byte) ? char32_t{byte} : shifted++;
    alphabet.byte[code_point] = static_cast<int16_t>(byte);
    if (code_point < 0x80) {
      alphabet.text[byte] = {static_cast<char>(code_point), 0};
      alphabet.length[byte] = 1;
    } else {
      alphabet.text[byte] = {static_cast<char>(0xC0U | code_point >> 6),
                             static_cast<char>(0x80U | (code_point & 0x3FU))};
      alphabet.length[byte] = 2;
    }
  }
  return alphabet;
}

constexpr Alphabet kAlphabet = MakeAlphabet();

}  // namespace

std::string_view CharacterOfByte(uint8_t byte) {
  return {kAlphabet.text[byte].data(), kAlphabet.length[byte]};
}

std::optional<uint8_t> ByteOfCharacter(char32_t code_point) {
  if (code_point >= kCodePoints || kAlphabet.byte[code_point] < 0) return std::nullopt;
  return static_cast<uint8_t>(kAlphabet.byte[code_point]);
}

void AppendTokenBytes(std::string_view token, std::string& out) {
  const size_t before = out.size();
  for (std::string_view rest = token; !rest.empty();) {
    const Utf8Unit unit = FrontUnit(rest);
    const std::optional<uint8_t> byte = ByteOfCharacter(unit.code_point);
    if (!byte) {
      out.resize(before);
      out.append(token);
      return;
    }
    out.push_back(static_cast<char>(*byte));
    rest.remove_prefix(unit.length);
  }
}

}  // namespace statelib::tokenizer
