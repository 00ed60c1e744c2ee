// SPDX-License-Identifier: Apache-2.0
// WordprocessingML (ECMA-376 part 1, 17): the text of the body, then of footnotes and endnotes.
// Deleted text, field codes and the older twin of a drawing are left out.
#include <set>

#include "core/base/error.h"
#include "statestore/documents/formats/formats.h"
#include "statestore/documents/formats/text_flow.h"
#include "statestore/documents/formats/xml.h"
#include "statestore/documents/formats/zip_parts.h"

namespace statelib::documents {

namespace {

constexpr const char* kBody = "word/document.xml";
constexpr const char* kNotes[] = {"word/footnotes.xml", "word/endnotes.xml"};

void AddPart(std::string_view xml, const std::string& name, TextFlow& flow) {
  static const std::set<std::string_view> kSkipped = {"del",       "delText",  "Fallback",
                                                      "instrText", "moveFrom", "pPrChange"};
  size_t skipped = 0;
  bool in_text = false;
  size_t cells = 0;  // table cells that are open
  XmlEvents events;
  events.begin = [&](std::string_view element, const XmlAttributes&) {
    if (skipped > 0 || kSkipped.contains(element)) {
      ++skipped;
      return;
    }
    if (element == "t") in_text = true;
    if (element == "tab" || element == "noBreakHyphen") flow.Text(element == "tab" ? " " : "-");
    if (element == "br" || element == "cr" || element == "tr") flow.Line();
    if (element == "numPr") flow.Item();
    if (element == "tbl") flow.Paragraph();
    if (element == "tc") {
      flow.Cell();
      ++cells;
    }
  };
  events.end = [&](std::string_view element) {
    if (skipped > 0) {
      --skipped;
      return;
    }
    if (element == "t") in_text = false;
    if (element == "tc") cells = cells > 0 ? cells - 1 : 0;
    // The paragraphs of a cell stay on the row's line.
    if (element == "p") cells > 0 ? flow.Text(" ") : flow.Paragraph();
    if (element == "tr") flow.Line();
    if (element == "tbl") flow.Paragraph();
  };
  events.text = [&](std::string_view text) {
    if (in_text && skipped == 0) flow.Text(text);
  };
  ParseXml(xml, name, events);
}

}  // namespace

ExtractedText ReadDocx(std::string_view bytes, const std::string& name) {
  const ZipParts parts = ReadZip(bytes, name, [](std::string_view part) {
    return part == kBody || part == kNotes[0] || part == kNotes[1];
  });
  const auto body = parts.find(kBody);
  if (body == parts.end()) Throw(ErrorKind::kCorrupt, "{}: a DOCX file without {}", name, kBody);
  TextFlow flow(name);
  AddPart(body->second, name + ": " + kBody, flow);
  for (const char* note : kNotes) {
    const auto part = parts.find(note);
    if (part != parts.end()) AddPart(part->second, name + ": " + note, flow);
  }
  return {"docx", "", flow.Finish()};
}

}  // namespace statelib::documents
