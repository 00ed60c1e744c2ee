// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_DOCUMENTS_FORMAT_H_
#define STATELIB_STATESTORE_DOCUMENTS_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/spool.h"

namespace statelib::documents {

/// The longest file that is read as a document. What is taken out of one, unless it is plain UTF-8,
/// may have at most kWholeTextBytesMax.
inline constexpr uint64_t kFileBytesMax = uint64_t{256} << 20;

/// A document's text and what it was taken from.
struct ExtractedText {
  std::string format;    ///< "text", "html", "pdf", "docx" or "epub"
  std::string encoding;  ///< of text and HTML, as "UTF-16LE"; else ""
  std::string text;
  bool guessed = false;  ///< nothing in the document says that this is its encoding
};

enum class Format {
  kText,    ///< in any encoding, Markdown included
  kHtml,    ///< HTML or XHTML
  kPdf,     ///< Portable Document Format
  kZip,     ///< DOCX, EPUB or a ZIP archive of something else
  kBinary,  ///< anything known to hold no text: images, programs, compressed files
};

/// What a file is, by its first bytes. Its name, which may be empty, decides only where HTML begins
/// without saying so: such a page must be called .html, .htm or .xhtml. NUL bytes do not make a
/// file binary here, as UTF-16 has them.
Format Recognise(std::string_view bytes, std::string_view name);

/// For a file of Format::kBinary, what it is: "a PNG image"; else "".
std::string BinaryKind(std::string_view bytes);

/// How the bytes of a text stand to UTF-8.
struct Utf8Count {
  size_t invalid_bytes = 0;
  size_t invalid_sequences = 0;
  size_t long_characters = 0;  ///< valid ones of two bytes or more
  bool has_nul = false;

  /// Whether this is UTF-8, perhaps with a few damaged bytes, and not another encoding: some of its
  /// characters that are not ASCII must be sound, more than are not.
  bool is_utf8() const { return !has_nul && invalid_sequences <= long_characters / 2; }
};
Utf8Count CountUtf8(std::string_view bytes);

/// The same of a text that comes in pieces. One thread.
class Utf8Counter {
 public:
  void Add(std::string_view piece);
  /// The counts of all pieces. Call once, last.
  Utf8Count Finish();

 private:
  Utf8Count count_;
  std::string held_;  // a character that is not whole yet
};

/// The counts of a file that is plain UTF-8 as Utf8Count::is_utf8 has it, text that is taken as it
/// is; nothing for any other.
std::optional<Utf8Count> CountPlainUtf8(const RunOf<char>& bytes, std::string_view name);

}  // namespace statelib::documents

#endif  // STATELIB_STATESTORE_DOCUMENTS_FORMAT_H_
