// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_STATESTORE_DOCUMENTS_PDF_BUILDER_H_
#define STATELIB_TESTS_STATESTORE_DOCUMENTS_PDF_BUILDER_H_

#include <string>
#include <vector>

namespace statelib::documents {

/// A PDF file with one line of text a page; no parentheses in it.
inline std::string PdfOf(const std::vector<std::string>& pages) {
  std::vector<std::string> objects = {"<</Type/Catalog/Pages 2 0 R>>", "",
                                      "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"};
  std::string kids;
  for (const std::string& page : pages) {
    const std::string stream = "BT /F1 12 Tf 72 720 Td (" + page + ") Tj ET";
    objects.push_back("<</Length " + std::to_string(stream.size()) + ">>stream\n" + stream +
                      "\nendstream");
    objects.push_back("<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents " +
                      std::to_string(objects.size()) + " 0 R/Resources<</Font<</F1 3 0 R>>>>>>");
    kids += std::to_string(objects.size()) + " 0 R ";
  }
  objects[1] = "<</Type/Pages/Kids[" + kids + "]/Count " + std::to_string(pages.size()) + ">>";
  std::string file = "%PDF-1.4\n";
  std::string table = "0000000000 65535 f \n";
  for (size_t i = 0; i < objects.size(); ++i) {
    const std::string place = std::to_string(file.size());
    table += std::string(10 - place.size(), '0') + place + " 00000 n \n";
    file += std::to_string(i + 1) + " 0 obj" + objects[i] + "endobj\n";
  }
  const std::string count = std::to_string(objects.size() + 1);
  return file + "xref\n0 " + count + "\n" + table + "trailer<</Root 1 0 R/Size " + count +
         ">>\nstartxref\n" + std::to_string(file.size()) + "\n%%EOF\n";
}

}  // namespace statelib::documents

#endif  // STATELIB_TESTS_STATESTORE_DOCUMENTS_PDF_BUILDER_H_
