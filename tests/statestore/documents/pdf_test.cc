// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "statestore/documents/formats/formats.h"
#include "tests/statestore/documents/pdf_builder.h"
#include "tests/statestore/expect_error.h"

namespace statelib::documents {
namespace {

TEST(Pdf, PagesInOrder) {
  const ExtractedText read = Extract(PdfOf({"The budget is 5200.", "Second page."}), "a");
  EXPECT_EQ(read.format, "pdf");
  EXPECT_EQ(read.text, "The budget is 5200.\n\nSecond page.\n");
}

TEST(Pdf, OneWithoutTextIsToldFromADamagedOne) {
  ExpectError(ErrorKind::kUnsupported, "ocrmypdf", [&] { Extract(PdfOf({""}), "scan.pdf"); });
  ExpectError(ErrorKind::kCorrupt, "damaged PDF", [&] { Extract("%PDF-1.4\nnothing", "a.pdf"); });
}

}  // namespace
}  // namespace statelib::documents
