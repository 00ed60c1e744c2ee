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

/// A page whose words stand in rows from the foot to the head.
std::string Upwards(int words) {
  std::string page = "first";
  for (int i = 0; i < words; ++i) {
    page += ") Tj 1 0 0 1 " + std::to_string(10 + i % 20 * 30) + " " +
            std::to_string(20 + i / 20 * 2) + " Tm (w" + std::to_string(i);
  }
  return PdfOf({page + ") Tj 1 0 0 1 10 780 Tm (top"});
}

TEST(Pdf, APageOfTooManyWordsIsTakenInTheOrderInWhichItWasWritten) {
  EXPECT_LT(Extract(Upwards(300), "a").text.find("top"), 20u);
  const std::string text = Extract(Upwards(7'000), "a").text;
  EXPECT_EQ(text.find("first"), 0u);
  EXPECT_GT(text.find("top"), text.size() - 20);
}

}  // namespace
}  // namespace statelib::documents
