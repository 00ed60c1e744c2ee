// SPDX-License-Identifier: Apache-2.0
// The readers of text, HTML, DOCX and EPUB in this process. PDF is left to poppler's own fuzzing.
#include "core/base/utf8.h"
#include "statestore/documents/formats/formats.h"
#include "tests/fuzz/fuzz_input.h"

namespace statelib::documents {
namespace {

void Read(ByteSpan bytes) {
  const std::string_view text = AsText(bytes);
  if (Recognise(text, "") == Format::kPdf) return;
  const ExtractedText read = Extract(text, "input.html");
  Promise(ValidPrefixLength(read.text) == read.text.size());
  Promise(read.text.size() <= kWholeTextBytesMax);
}

}  // namespace
}  // namespace statelib::documents

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return statelib::ReadHostile(data, size, statelib::documents::Read);
}
