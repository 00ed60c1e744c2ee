// SPDX-License-Identifier: Apache-2.0
// EPUB 2 and 3: META-INF/container.xml names the package document, whose spine names the chapters
// in reading order. A chapter is read as HTML.
#include <charconv>
#include <filesystem>
#include <map>
#include <set>
#include <vector>

#include "core/base/error.h"
#include "statestore/documents/formats/formats.h"
#include "statestore/documents/formats/html.h"
#include "statestore/documents/formats/text.h"
#include "statestore/documents/formats/xml.h"
#include "statestore/documents/formats/zip_parts.h"

namespace statelib::documents {

namespace {

constexpr const char* kContainer = "META-INF/container.xml";
constexpr size_t kChaptersMax = 100'000;  // as the spine names them
constexpr size_t kPathBytesMax = 4096;

std::string PercentDecoded(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr ==
            text.data() + i + 3) {
      decoded += static_cast<char>(value);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

const std::string& Part(const ZipParts& parts, const std::string& part, const std::string& name) {
  const auto found = parts.find(part);
  if (found == parts.end())
    Throw(ErrorKind::kCorrupt, "{}: an EPUB file without the part that it says it has", name);
  return found->second;
}

std::string PackagePath(const ZipParts& parts, const std::string& name) {
  std::string path;
  XmlEvents events;
  events.begin = [&](std::string_view element, const XmlAttributes& attributes) {
    if (element == "rootfile" && path.empty()) path = attributes("full-path").value_or("");
  };
  ParseXml(Part(parts, kContainer, name), name + ": " + kContainer, events);
  if (path.empty()) Throw(ErrorKind::kCorrupt, "{}: {} names no package", name, kContainer);
  return path;
}

/// The parts of the chapters, in reading order.
std::vector<std::string> Chapters(const ZipParts& parts, const std::string& package,
                                  const std::string& name) {
  std::map<std::string, std::string> hrefs;
  std::vector<std::string> spine;
  XmlEvents events;
  events.begin = [&](std::string_view element, const XmlAttributes& attributes) {
    if (spine.size() > kChaptersMax)
      Throw(ErrorKind::kInvalidArgument, "{}: its spine has more than {} chapters", name,
            kChaptersMax);
    if (element == "item") hrefs[attributes("id").value_or("")] = attributes("href").value_or("");
    if (element == "itemref" && attributes("linear").value_or("yes") != "no")
      spine.push_back(attributes("idref").value_or(""));
  };
  ParseXml(Part(parts, package, name), name + ": the package document", events);
  const std::filesystem::path base = std::filesystem::path(package).parent_path();
  std::vector<std::string> chapters;
  for (const std::string& id : spine) {
    const auto href = hrefs.find(id);
    if (href == hrefs.end())
      Throw(ErrorKind::kCorrupt, "{}: its spine names a chapter that its manifest does not have",
            name);
    const std::string path = href->second.substr(0, href->second.find('#'));
    if (path.size() > kPathBytesMax)
      Throw(ErrorKind::kCorrupt, "{}: the path of a chapter has more than {} bytes", name,
            kPathBytesMax);
    chapters.push_back((base / PercentDecoded(path)).lexically_normal().string());
  }
  return chapters;
}

}  // namespace

ExtractedText ReadEpub(std::string_view bytes, const std::string& name) {
  const ZipParts parts = ReadZip(bytes, name, [](std::string_view part) {
    return part == kContainer || part.ends_with(".opf") || part.ends_with("html") ||
           part.ends_with(".htm") || part.ends_with(".xml");
  });
  TextFlow flow(name);
  // A spine may name one chapter a million times; each is read once.
  std::set<std::string> read;
  for (const std::string& chapter : Chapters(parts, PackagePath(parts, name), name)) {
    if (!read.insert(chapter).second) continue;
    const auto part = parts.find(chapter);
    // Pictures may be chapters.
    if (part == parts.end()) continue;
    AddHtml(Decode(part->second, "", name).text, name, flow);
  }
  return {"epub", "", flow.Finish()};
}

}  // namespace statelib::documents
