// SPDX-License-Identifier: Apache-2.0
// HTML by libxml2's tolerant parser, as a stream of events, so that memory does not grow with the
// page's structure. Nothing outside the page is ever loaded.
#include "statestore/documents/formats/html.h"

#include <libxml/HTMLparser.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "core/base/error.h"
#include "statestore/documents/formats/formats.h"
#include "statestore/documents/formats/sax_guard.h"
#include "statestore/documents/formats/start_tag.h"
#include "statestore/documents/formats/text.h"

namespace statelib::documents {

namespace {

template <size_t N>
bool IsAmong(const std::array<std::string_view, N>& sorted, std::string_view name) {
  return std::binary_search(sorted.begin(), sorted.end(), name);
}

// What holds no text for readers, or the way around the site rather than the page.
constexpr std::array<std::string_view, 18> kSkipped = {
    "audio",    "button", "canvas", "datalist", "embed", "head", "iframe",   "map",   "nav",
    "noscript", "object", "script", "select",   "style", "svg",  "template", "title", "video"};
constexpr std::array<std::string_view, 35> kParagraphs = {
    "address", "article", "aside",   "blockquote", "body",       "center",   "details",
    "dialog",  "div",     "dl",      "fieldset",   "figcaption", "figure",   "footer",
    "form",    "h1",      "h2",      "h3",         "h4",         "h5",       "h6",
    "header",  "hgroup",  "hr",      "main",       "menu",       "ol",       "p",
    "pre",     "search",  "section", "summary",    "table",      "textarea", "ul"};
constexpr std::array<std::string_view, 8> kLines = {"br",     "caption", "dd",     "dt",
                                                    "legend", "li",      "option", "tr"};

// Tags times the depth at which they stand. Pages of the largest size that is read have a tenth.
constexpr uint64_t kStepsMax = 4'000'000'000;

/// Whether an element says of itself that it is not to be seen.
bool IsHidden(const xmlChar** attributes) {
  if (attributes == nullptr) return false;
  for (; attributes[0] != nullptr; attributes += 2) {
    const std::string_view name = TextOf(attributes[0]);
    const std::string_view value = TextOf(attributes[1]);
    if (name == "hidden") return value != "until-found";
    if (name == "aria-hidden" && value == "true") return true;
    if (name == "role" && (value == "navigation" || value == "menu")) return true;
  }
  return false;
}

/// The events of one page.
class Page : private SaxGuard<Page> {
 public:
  Page(const std::string& name, TextFlow& flow) : name_(name), flow_(flow) {}

  void Parse(std::string_view utf8) {
    htmlSAXHandler events = {};
    events.startElement = [](void* page, const xmlChar* name, const xmlChar** attributes) {
      static_cast<Page*>(page)->Guard([&](Page& p) { p.Begin(TextOf(name), attributes); });
    };
    events.endElement = [](void* page, const xmlChar* name) {
      static_cast<Page*>(page)->Guard([&](Page& p) { p.End(TextOf(name)); });
    };
    events.characters = [](void* page, const xmlChar* text, int length) {
      static_cast<Page*>(page)->Guard([&](Page& p) {
        p.Text({reinterpret_cast<const char*>(text), static_cast<size_t>(length)});
      });
    };
    events.ignorableWhitespace = events.characters;
    events.cdataBlock = events.characters;
    events.getEntity = [](void*, const xmlChar* name) -> xmlEntityPtr {
      return xmlGetPredefinedEntity(name);
    };
    const std::unique_ptr<htmlParserCtxt, decltype(&htmlFreeParserCtxt)> context(
        htmlCreatePushParserCtxt(&events, this, nullptr, 0, nullptr, XML_CHAR_ENCODING_UTF8),
        htmlFreeParserCtxt);
    if (!context) throw std::bad_alloc();
    htmlCtxtUseOptions(context.get(), HTML_PARSE_RECOVER | HTML_PARSE_NOERROR |
                                          HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
                                          HTML_PARSE_IGNORE_ENC);
    Watch(context.get());
    StartTagBound tag(name_);
    for (size_t i = 0; i < utf8.size() && !failed(); i += kMarkupBlockBytes) {
      const std::string_view block = utf8.substr(i, kMarkupBlockBytes);
      htmlParseChunk(context.get(), block.data(), static_cast<int>(block.size()), 0);
      if (failed()) break;
      tag.Check(*context);
      CountSteps(block);
    }
    if (!failed()) htmlParseChunk(context.get(), nullptr, 0, 1);
    RethrowFailure();
  }

 private:
  friend class SaxGuard<Page>;

  /// A tag is looked for among all elements that are open, which libxml2 does not say.
  void CountSteps(std::string_view block) {
    const auto tags = static_cast<uint64_t>(std::count(block.begin(), block.end(), '<'));
    steps_ += tags * std::exchange(deepest_, depth_);
    if (steps_ <= kStepsMax) return;
    Throw(ErrorKind::kInvalidArgument,
          "{}: too many tags inside of elements that nest too deep: more than {} steps", name_,
          kStepsMax);
  }

  void Begin(std::string_view name, const xmlChar** attributes) {
    deepest_ = std::max(deepest_, ++depth_);
    if (skipped_ > 0 || IsAmong(kSkipped, name) || IsHidden(attributes)) {
      ++skipped_;
      return;
    }
    Break(name);
    if (name == "pre" || name == "textarea") ++verbatim_;
    if (name == "li") flow_.Item();
    if (name == "td" || name == "th") flow_.Cell();
  }

  void End(std::string_view name) {
    if (depth_ > 0) --depth_;
    if (skipped_ > 0) {
      --skipped_;
      return;
    }
    if (name == "pre" || name == "textarea") verbatim_ = std::max(0, verbatim_ - 1);
    if (name != "br") Break(name);
  }

  void Text(std::string_view text) {
    if (skipped_ > 0) return;
    if (verbatim_ > 0)
      flow_.Verbatim(text);
    else
      flow_.Text(text);
  }

  void Break(std::string_view name) {
    if (IsAmong(kParagraphs, name)) flow_.Paragraph();
    if (IsAmong(kLines, name)) flow_.Line();
  }

  const std::string& name_;
  TextFlow& flow_;
  size_t depth_ = 0;
  size_t deepest_ = 0;  // in the block
  uint64_t steps_ = 0;
  size_t skipped_ = 0;  // how deep inside of what is left out
  int verbatim_ = 0;
};

/// The encoding that the first kilobytes declare: charset= of a meta element, encoding= of XML.
std::string DeclaredEncoding(std::string_view bytes) {
  const std::string_view head = bytes.substr(0, 4096);
  for (const std::string_view key : {"charset=", "encoding="}) {
    size_t at = head.find(key);
    if (at == std::string_view::npos) continue;
    at += key.size();
    if (at < head.size() && (head[at] == '"' || head[at] == '\'')) ++at;
    const size_t end = head.find_first_not_of(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", at);
    if (end != std::string_view::npos && end - at <= 40)
      return std::string(head.substr(at, end - at));
  }
  return "";
}

}  // namespace

void AddHtml(std::string_view utf8, const std::string& name, TextFlow& flow) {
  flow.Paragraph();
  Page(name, flow).Parse(utf8);
}

ExtractedText ReadHtml(std::string_view bytes, const std::string& name) {
  std::string declared = DeclaredEncoding(bytes);
  // What pages call ISO-8859-1 or ASCII is Windows-1252 (WHATWG Encoding, 4.2).
  for (const char* alias : {"ISO-8859-1", "iso-8859-1", "latin1", "US-ASCII", "us-ascii"})
    if (declared == alias) declared = "WINDOWS-1252";
  const DecodedText page = Decode(bytes, declared, name);
  TextFlow flow(name);
  AddHtml(page.text, name, flow);
  return {"html", page.encoding, flow.Finish(), page.guessed};
}

}  // namespace statelib::documents
