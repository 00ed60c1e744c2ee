// SPDX-License-Identifier: Apache-2.0
// PDF by poppler, page after page in reading order.
#include <poppler-document.h>
#include <poppler-global.h>
#include <poppler-page.h>

#include <memory>

#include "core/base/error.h"
#include "core/base/utf8.h"
#include "statestore/documents/formats/formats.h"

namespace statelib::documents {

namespace {

constexpr int kPagesMax = 100'000;

// Finding the reading order of words takes poppler more than the square of their number. A page of
// more words, and every page once the squares of all before are too many, is taken in the order in
// which it was written.
constexpr uint64_t kOrderedWordsMax = 5'000;
constexpr uint64_t kOrderedSquaresMax = 10'000'000'000;

uint64_t WordsOf(const poppler::byte_array& utf8) {
  uint64_t words = 0;
  bool inside = false;
  for (const char c : utf8) {
    const bool is_space = c == ' ' || c == '\n' || c == '\f';
    words += !is_space && !inside ? 1 : 0;
    inside = !is_space;
  }
  return words;
}

/// `squares` is the sum of those of the words of all pages.
std::string PageText(const poppler::document& document, int number, uint64_t* squares) {
  const std::unique_ptr<poppler::page> page(document.create_page(number));
  if (!page) return "";
  poppler::byte_array utf8 =
      page->text(poppler::rectf(), poppler::page::raw_order_layout).to_utf8();
  const uint64_t words = WordsOf(utf8);
  *squares += words * words;
  if (words <= kOrderedWordsMax && *squares <= kOrderedSquaresMax)
    utf8 = page->text(poppler::rectf(), poppler::page::non_raw_non_physical_layout).to_utf8();
  std::string text;
  AppendLossy({utf8.data(), utf8.size()}, text);
  std::erase(text, '\f');
  std::erase(text, '\0');
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

ExtractedText ReadPdf(std::string_view bytes, const std::string& name) {
  poppler::set_debug_error_function([](const std::string&, void*) {}, nullptr);
  const std::unique_ptr<poppler::document> document(
      poppler::document::load_from_raw_data(bytes.data(), static_cast<int>(bytes.size())));
  if (!document) Throw(ErrorKind::kCorrupt, "{}: a damaged PDF file", name);
  if (document->is_locked())
    Throw(ErrorKind::kUnsupported, "{}: a PDF file with a password; save it without one", name);
  const int pages = document->pages();
  if (pages > kPagesMax)
    Throw(ErrorKind::kInvalidArgument, "{}: has {} pages; at most {} are read", name, pages,
          kPagesMax);
  std::string text;
  uint64_t squares = 0;
  for (int i = 0; i < pages; ++i) {
    const std::string page = PageText(*document, i, &squares);
    if (page.empty()) continue;
    if (!text.empty()) text += "\n\n";
    text += page;
    if (text.size() > kWholeTextBytesMax)
      Throw(ErrorKind::kInvalidArgument,
            "{}: its text is longer than {} bytes, the most that is read; split it", name,
            kWholeTextBytesMax);
  }
  if (text.empty())
    Throw(ErrorKind::kUnsupported,
          "{}: a PDF file without text, perhaps scanned pages; add the text with ocrmypdf", name);
  return {"pdf", "", text + "\n"};
}

}  // namespace statelib::documents
