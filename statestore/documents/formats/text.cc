// SPDX-License-Identifier: Apache-2.0
// Text in any encoding: by its byte order mark, by being UTF-8, by where its NUL bytes stand
// (UTF-16 and UTF-32 without a mark), by the statistics of libuchardet, and else Windows-1252,
// which every sequence of bytes is.
#include "statestore/documents/formats/text.h"

#include <iconv.h>
#include <uchardet/uchardet.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "core/base/error.h"
#include "core/base/utf8.h"
#include "statestore/documents/format.h"
#include "statestore/documents/formats/formats.h"

namespace statelib::documents {

namespace {

using std::string_view_literals::operator""sv;

struct Mark {
  std::string_view bytes;
  const char* encoding;
};

// UTF-32 first: its little-endian mark begins with that of UTF-16.
constexpr std::array kMarks = {
    Mark{"\xff\xfe\0\0"sv, "UTF-32LE"}, Mark{"\0\0\xfe\xff"sv, "UTF-32BE"},
    Mark{"\xef\xbb\xbf"sv, "UTF-8"},    Mark{"\xff\xfe"sv, "UTF-16LE"},
    Mark{"\xfe\xff"sv, "UTF-16BE"},
};

void CheckLength(size_t size, const std::string& name) {
  if (size <= kWholeTextBytesMax) return;
  Throw(ErrorKind::kInvalidArgument,
        "{}: its text is longer than {} bytes, the most that is read; split it", name,
        kWholeTextBytesMax);
}

[[noreturn]] void ThrowBinary(std::string_view bytes, const std::string& name) {
  if (const size_t at = bytes.find('\0'); at != std::string_view::npos)
    Throw(ErrorKind::kUnsupported,
          "{} is not text: byte {} is NUL; read are text, Markdown, HTML, PDF, DOCX and EPUB", name,
          at);
  Throw(ErrorKind::kUnsupported,
        "{} is not text: its bytes are control characters or in no encoding that can be told "
        "apart; convert it with iconv -t UTF-8",
        name);
}

/// The bytes as UTF-8, or nothing where they are not all in this encoding.
std::optional<std::string> Convert(std::string_view bytes, const char* encoding,
                                   const std::string& name) {
  const iconv_t converter = ::iconv_open("UTF-8", encoding);
  if (converter == reinterpret_cast<iconv_t>(-1)) return std::nullopt;
  const auto close = [](void* handle) { ::iconv_close(handle); };
  const std::unique_ptr<void, decltype(close)> owner(converter, close);
  std::string text;
  std::array<char, 1 << 16> block{};
  auto* from = const_cast<char*>(bytes.data());
  size_t rest = bytes.size();
  while (rest > 0) {
    char* to = block.data();
    size_t room = block.size();
    const size_t result = ::iconv(converter, &from, &rest, &to, &room);
    text.append(block.data(), block.size() - room);
    CheckLength(text.size(), name);
    if (result == static_cast<size_t>(-1) && errno != E2BIG) return std::nullopt;
  }
  // Some converters pass on code points beyond U+10FFFF, which no text has.
  if (ValidPrefixLength(text) != text.size()) return std::nullopt;
  return text;
}

/// Control characters and code points that no text has, among `text`'s characters. A form feed ends
/// pages, an escape begins colours in logs.
bool LooksLikeText(std::string_view text) {
  size_t odd = 0;
  size_t characters = 0;
  while (!text.empty()) {
    const Utf8Unit unit = FrontUnit(text);
    text.remove_prefix(unit.length);
    ++characters;
    const char32_t c = unit.code_point;
    const bool is_space = (c >= 0x09 && c <= 0x0d) || c == 0x1b;
    const bool is_control = (c < 0x20 && !is_space) || (c >= 0x7f && c < 0xa0 && c != 0x85);
    const bool is_private = (c >= 0xe000 && c <= 0xf8ff) || (c & 0xfffe) == 0xfffe || c >= 0xe0000;
    odd += is_control || is_private ? 1 : 0;
    if (c == 0) return false;
  }
  return odd <= characters / 20;
}

/// UTF-16 or UTF-32 without a mark. Spaces, line feeds, digits and Latin letters have zero bytes in
/// them, and in a text of any script some of those stand at the same places.
const char* WideEncoding(std::string_view bytes) {
  std::array<size_t, 4> zeros{};
  for (size_t i = 0; i < bytes.size(); ++i) zeros[i % 4] += bytes[i] == '\0' ? 1 : 0;
  const size_t units = bytes.size() / 4;
  if (bytes.size() % 4 == 0 && units > 0) {
    if (zeros[2] > units * 9 / 10 && zeros[3] == units) return "UTF-32LE";
    if (zeros[1] > units * 9 / 10 && zeros[0] == units) return "UTF-32BE";
  }
  if (bytes.size() % 2 != 0) return nullptr;
  const size_t even = zeros[0] + zeros[2];
  const size_t odd = zeros[1] + zeros[3];
  if (odd > 4 * even) return "UTF-16LE";
  if (even > 4 * odd) return "UTF-16BE";
  return nullptr;
}

/// Whether an encoding of one byte a character is for the Latin script.
bool IsLatin(std::string_view encoding) {
  for (const std::string_view other :
       {"ISO-8859-5", "ISO-8859-6", "ISO-8859-7", "ISO-8859-8", "ISO-8859-11"})
    if (encoding == other) return false;
  for (const std::string_view latin :
       {"ISO-8859-", "WINDOWS-1250", "WINDOWS-1252", "WINDOWS-1254", "WINDOWS-1257", "WINDOWS-1258",
        "MAC-CENTRALEUROPE", "IBM852"})
    if (encoding.starts_with(latin)) return true;
  return false;
}

/// Empty where it cannot be told.
std::string GuessedEncoding(std::string_view bytes) {
  // Encodings of the Latin script differ in their accented letters; a few tell nothing.
  constexpr auto kTooFew = 16;
  const auto accented =
      std::count_if(bytes.begin(), bytes.end(), [](char c) { return (c & 0x80) != 0; });
  const std::unique_ptr<uchardet, decltype(&uchardet_delete)> detector(uchardet_new(),
                                                                       uchardet_delete);
  // Statistics over a megabyte are as good as over all.
  if (!detector || uchardet_handle_data(detector.get(), bytes.data(),
                                        std::min(bytes.size(), size_t{1} << 20)) != 0)
    return "";
  uchardet_data_end(detector.get());
  const std::string encoding = uchardet_get_charset(detector.get());
  if (IsLatin(encoding) && accented < kTooFew) return "";
  // Its superset: what it has more, ISO-8859-1 has no characters for.
  return encoding == "ISO-8859-1" ? "WINDOWS-1252" : encoding;
}

/// Windows-1252 as browsers read it: the five bytes without a meaning are the control characters of
/// those numbers.
std::string FromWindows1252(std::string_view bytes, const std::string& name) {
  std::string text;
  for (size_t i = 0; i < bytes.size();) {
    const size_t end = std::min(bytes.find_first_of("\x81\x8d\x8f\x90\x9d", i), bytes.size());
    text += Convert(bytes.substr(i, end - i), "WINDOWS-1252", name).value_or("");
    if (end < bytes.size()) AppendCodePoint(static_cast<unsigned char>(bytes[end]), text);
    i = end + 1;
  }
  return text;
}

std::optional<DecodedText> TryEncoding(std::string_view bytes, const std::string& encoding,
                                       const std::string& name) {
  auto text = Convert(bytes, encoding.c_str(), name);
  if (!text || !LooksLikeText(*text)) return std::nullopt;
  return DecodedText{encoding, std::move(*text)};
}

DecodedText Guessed(DecodedText decoded) {
  decoded.guessed = true;
  return decoded;
}

}  // namespace

DecodedText Decode(std::string_view bytes, const std::string& declared, const std::string& name) {
  for (const Mark& mark : kMarks) {
    if (!bytes.starts_with(mark.bytes)) continue;
    const std::string_view rest = bytes.substr(mark.bytes.size());
    if (auto decoded = TryEncoding(rest, mark.encoding, name)) return *decoded;
    if (mark.encoding == "UTF-8"sv) bytes = rest;
  }
  const Utf8Count utf8 = CountUtf8(bytes);
  if (utf8.is_utf8()) {
    CheckLength(bytes.size(), name);
    std::string text;
    AppendLossy(bytes, text);
    if (!LooksLikeText(text)) ThrowBinary(bytes, name);
    return {"UTF-8", std::move(text)};
  }
  if (utf8.has_nul) {
    const char* wide = WideEncoding(bytes);
    if (wide != nullptr)
      if (auto decoded = TryEncoding(bytes, wide, name)) return Guessed(std::move(*decoded));
    ThrowBinary(bytes, name);
  }
  for (const std::string& encoding : {declared, GuessedEncoding(bytes)}) {
    if (encoding.empty() || encoding == "UTF-8" || encoding == "ASCII") continue;
    if (auto decoded = TryEncoding(bytes, encoding, name))
      return encoding == declared ? *decoded : Guessed(std::move(*decoded));
  }
  std::string text = FromWindows1252(bytes, name);
  CheckLength(text.size(), name);
  if (!LooksLikeText(text)) ThrowBinary(bytes, name);
  return {"WINDOWS-1252", std::move(text), true};
}

ExtractedText ReadText(std::string_view bytes, const std::string& name) {
  DecodedText decoded = Decode(bytes, "", name);
  return {"text", std::move(decoded.encoding), std::move(decoded.text), decoded.guessed};
}

}  // namespace statelib::documents
