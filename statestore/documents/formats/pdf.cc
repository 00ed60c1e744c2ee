// SPDX-License-Identifier: Apache-2.0
// PDF by poppler, page after page in reading order.
#include <poppler-document.h>
#include <poppler-global.h>
#include <poppler-page.h>

#include <memory>

#include "core/base/error.h"
#include "core/tokenizer/utf8.h"
#include "statestore/documents/formats/formats.h"

namespace statelib::documents {

namespace {

constexpr int kPagesMax = 100'000;

std::string PageText(const poppler::document& document, int number) {
  const std::unique_ptr<poppler::page> page(document.create_page(number));
  if (!page) return "";
  const poppler::byte_array utf8 =
      page->text(poppler::rectf(), poppler::page::non_raw_non_physical_layout).to_utf8();
  std::string text;
  tokenizer::AppendLossy({utf8.data(), utf8.size()}, text);
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
  for (int i = 0; i < pages; ++i) {
    const std::string page = PageText(*document, i);
    if (page.empty()) continue;
    if (!text.empty()) text += "\n\n";
    text += page;
    if (text.size() > tokenizer::kTextBytesMax)
      Throw(ErrorKind::kInvalidArgument,
            "{}: its text is longer than {} bytes, the most that is read; split it", name,
            tokenizer::kTextBytesMax);
  }
  if (text.empty())
    Throw(ErrorKind::kUnsupported,
          "{}: a PDF file without text, perhaps scanned pages; add the text with ocrmypdf", name);
  return {"pdf", "", text + "\n"};
}

}  // namespace statelib::documents
