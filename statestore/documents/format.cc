// SPDX-License-Identifier: Apache-2.0
#include "statestore/documents/format.h"

#include <algorithm>
#include <array>
#include <vector>

#include "core/base/utf8.h"

namespace statelib::documents {

namespace {

using std::string_view_literals::operator""sv;

// What is looked at to tell what a file is.
constexpr size_t kHeadBytes = 4096;

struct Magic {
  std::string_view bytes;
  const char* kind;
};

// Only those whose first bytes no text begins with.
constexpr std::array kMagics = {
    Magic{"\x89PNG\r\n\x1a\n"sv, "a PNG image"},
    Magic{"\xff\xd8\xff"sv, "a JPEG image"},
    Magic{"GIF87a"sv, "a GIF image"},
    Magic{"GIF89a"sv, "a GIF image"},
    Magic{"\x7f"
          "ELF"sv,
          "a program"},
    Magic{"\x1f\x8b"sv, "a gzip file"},
    Magic{"BZh"sv, "a bzip2 file"},
    Magic{"\xfd"
          "7zXZ\0"sv,
          "an xz file"},
    Magic{"\x28\xb5\x2f\xfd"sv, "a zstd file"},
    Magic{"7z\xbc\xaf\x27\x1c"sv, "a 7z archive"},
    Magic{"Rar!\x1a\x07"sv, "a RAR archive"},
    Magic{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"sv, "an old office document"},
    Magic{"SQLite format 3\0"sv, "an SQLite database"},
    Magic{"\x89SLO\r\n\x1a\n"sv, "a statelib object"},
    Magic{"\x89SLB\r\n\x1a\n"sv, "a statelib bundle"},
    Magic{"OggS\0"sv, "an Ogg file"},
    Magic{"ID3\x03\0"sv, "an MP3 file"},
    Magic{"ID3\x04\0"sv, "an MP3 file"},
};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool BeginsWith(std::string_view text, std::string_view lower_case) {
  return text.size() >= lower_case.size() &&
         std::equal(lower_case.begin(), lower_case.end(), text.begin(),
                    [](char wanted, char found) { return wanted == Lower(found); });
}

bool EndsWith(std::string_view text, std::string_view lower_case) {
  return text.size() >= lower_case.size() &&
         BeginsWith(text.substr(text.size() - lower_case.size()), lower_case);
}

std::string_view WithoutSpace(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n\f");
  return text.substr(std::min(begin, text.size()));
}

/// The first bytes as ASCII: without byte order mark and, of UTF-16, without the zero halves.
std::string Beginning(std::string_view bytes) {
  std::string head(bytes.substr(0, kHeadBytes));
  if (head.starts_with("\xef\xbb\xbf")) head.erase(0, 3);
  if (head.starts_with("\xff\xfe") || head.starts_with("\xfe\xff")) head.erase(0, 2);
  std::erase(head, '\0');
  return head;
}

/// Whether these bytes are HTML that says so.
bool SaysHtml(std::string_view head) {
  for (head = WithoutSpace(head); head.starts_with("<!--") || BeginsWith(head, "<?xml");) {
    const std::string_view end = head.starts_with("<!--") ? "-->" : "?>";
    const size_t at = head.find(end);
    if (at == std::string_view::npos) return false;
    head = WithoutSpace(head.substr(at + end.size()));
  }
  if (BeginsWith(head, "<!doctype")) return BeginsWith(WithoutSpace(head.substr(9)), "html");
  return BeginsWith(head, "<html") && head.size() > 5 &&
         " \t\r\n\f>/"sv.find(head[5]) != std::string_view::npos;
}

bool IsCalledHtml(std::string_view name) {
  return EndsWith(name, ".html") || EndsWith(name, ".htm") || EndsWith(name, ".xhtml");
}

}  // namespace

std::string BinaryKind(std::string_view bytes) {
  for (const Magic& magic : kMagics)
    if (bytes.starts_with(magic.bytes)) return magic.kind;
  return "";
}

Format Recognise(std::string_view bytes, std::string_view name) {
  // Readers of PDF tolerate a kilobyte before the header; text that speaks of %PDF- does not begin
  // so early and without a line of its own.
  const std::string_view head = bytes.substr(0, 1024);
  if (const size_t at = head.find("%PDF-"); at != std::string_view::npos)
    if (at == 0 || (head[at - 1] == '\n' && head.find('\0') < at)) return Format::kPdf;
  if (bytes.starts_with("PK\x03\x04") || bytes.starts_with("PK\x05\x06")) return Format::kZip;
  if (!BinaryKind(bytes).empty()) return Format::kBinary;
  const std::string beginning = Beginning(bytes);
  if (SaysHtml(beginning)) return Format::kHtml;
  const bool has_markup = beginning.find('<') != std::string::npos;
  return IsCalledHtml(name) && has_markup ? Format::kHtml : Format::kText;
}

namespace {

constexpr size_t kCharacterBytesMax = 4;

/// Adds the characters of a text, but for the last bytes where `more` may make a character of them;
/// returns how many bytes were counted.
size_t Count(std::string_view bytes, bool more, Utf8Count& count) {
  size_t i = 0;
  while (i < bytes.size()) {
    if (static_cast<unsigned char>(bytes[i]) < 0x80) {
      count.has_nul = count.has_nul || bytes[i] == '\0';
      ++i;
      continue;
    }
    if (more && bytes.size() - i < kCharacterBytesMax) return i;
    const Utf8Unit unit = FrontUnit(bytes.substr(i));
    i += unit.length;
    if (unit.kind == Utf8Unit::Kind::kCharacter) {
      ++count.long_characters;
    } else {
      ++count.invalid_sequences;
      count.invalid_bytes += unit.length;
    }
  }
  return i;
}

}  // namespace

Utf8Count CountUtf8(std::string_view bytes) {
  Utf8Count count;
  Count(bytes, false, count);
  return count;
}

void Utf8Counter::Add(std::string_view piece) {
  if (!held_.empty()) {
    // Enough of the piece to make whole what is held; the rest of it is looked at where it lies.
    const size_t taken = std::min(piece.size(), kCharacterBytesMax);
    held_ += piece.substr(0, taken);
    piece.remove_prefix(taken);
    held_.erase(0, Count(held_, true, count_));
    if (piece.empty()) return;
    if (!held_.empty()) {
      held_ += piece;
      held_.erase(0, Count(held_, true, count_));
      return;
    }
  }
  held_ = piece.substr(Count(piece, true, count_));
}

Utf8Count Utf8Counter::Finish() {
  Count(held_, false, count_);
  return count_;
}

std::optional<Utf8Count> CountPlainUtf8(const RunOf<char>& bytes, std::string_view name) {
  const std::vector<char> head = bytes.First(kHeadBytes).Values();
  const std::string_view beginning(head.data(), head.size());
  if (beginning.starts_with("\xef\xbb\xbf") || Recognise(beginning, name) != Format::kText)
    return std::nullopt;
  Utf8Counter counter;
  bytes.ForEach([&](std::span<const char> piece) { counter.Add({piece.data(), piece.size()}); });
  const Utf8Count count = counter.Finish();
  return count.is_utf8() ? std::optional(count) : std::nullopt;
}

}  // namespace statelib::documents
