// SPDX-License-Identifier: Apache-2.0
#include "statestore/documents/formats/xml.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>

#include <algorithm>
#include <memory>
#include <new>
#include <vector>

#include "core/base/error.h"
#include "statestore/documents/formats/sax_guard.h"
#include "statestore/documents/formats/start_tag.h"

namespace statelib::documents {

namespace {

constexpr int kDepthMax = 256;
constexpr int kNamespacesMax = 1000;

/// A parser that meets the declaration of an entity makes a document for it, and forgets it when it
/// is stopped.
struct FreeContext {
  void operator()(xmlParserCtxt* context) const {
    xmlFreeDoc(context->myDoc);
    xmlFreeParserCtxt(context);
  }
};

/// One parsing.
class Parsing : private SaxGuard<Parsing> {
 public:
  Parsing(const std::string& name, const XmlEvents& events) : name_(name), events_(events) {}

  void Run(std::string_view bytes) {
    xmlSAXHandler handler = Handler();
    const std::unique_ptr<xmlParserCtxt, FreeContext> context(
        xmlCreatePushParserCtxt(&handler, this, nullptr, 0, nullptr));
    if (!context) throw std::bad_alloc();
    xmlCtxtUseOptions(context.get(), XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    Watch(context.get());
    StartTagBound tag(name_);
    int result = 0;
    for (size_t i = 0; i < bytes.size() && result == 0; i += kMarkupBlockBytes) {
      const std::string_view block = bytes.substr(i, kMarkupBlockBytes);
      result = xmlParseChunk(context.get(), block.data(), static_cast<int>(block.size()), 0);
      if (result == 0 && !failed()) tag.Check(*context);
    }
    if (result == 0) result = xmlParseChunk(context.get(), nullptr, 0, 1);
    RethrowFailure();
    if (context->wellFormed != 0) return;
    const xmlError* error = xmlCtxtGetLastError(context.get());
    std::string reason = error != nullptr && error->message != nullptr ? error->message : "";
    reason = reason.substr(0, reason.find('\n')).substr(0, 200);
    Throw(ErrorKind::kCorrupt, "{}: not well-formed XML: line {}: {}", name_,
          error != nullptr ? error->line : 0, reason.empty() ? "it ends too early" : reason);
  }

 private:
  friend class SaxGuard<Parsing>;

  static xmlSAXHandler Handler() {
    xmlSAXHandler handler = {};
    handler.initialized = XML_SAX2_MAGIC;
    handler.startElementNs = [](void* self, const xmlChar* name, const xmlChar*, const xmlChar*,
                                int namespaces, const xmlChar**, int count, int,
                                const xmlChar** values) {
      static_cast<Parsing*>(self)->Guard([&](Parsing& p) {
        p.CountNamespaces(namespaces);
        p.Begin(TextOf(name), count, values);
      });
    };
    handler.endElementNs = [](void* self, const xmlChar* name, const xmlChar*, const xmlChar*) {
      static_cast<Parsing*>(self)->Guard([&](Parsing& p) {
        --p.depth_;
        p.namespaces_ -= p.declared_.back();
        p.declared_.pop_back();
        if (p.events_.end) p.events_.end(TextOf(name));
      });
    };
    handler.characters = [](void* self, const xmlChar* text, int length) {
      static_cast<Parsing*>(self)->Guard([&](Parsing& p) {
        if (p.events_.text)
          p.events_.text({reinterpret_cast<const char*>(text), static_cast<size_t>(length)});
      });
    };
    handler.ignorableWhitespace = handler.characters;
    handler.cdataBlock = handler.characters;
    handler.entityDecl = [](void* self, const xmlChar*, int, const xmlChar*, const xmlChar*,
                            xmlChar*) {
      static_cast<Parsing*>(self)->Guard([](Parsing& p) {
        Throw(ErrorKind::kCorrupt, "{}: declares entities of its own, which are not read", p.name_);
      });
    };
    return handler;
  }

  /// A prefix is looked for among all namespaces that are in scope.
  void CountNamespaces(int declared) {
    declared_.push_back(declared);
    namespaces_ += declared;
    if (namespaces_ <= kNamespacesMax) return;
    Throw(ErrorKind::kInvalidArgument, "{}: more than {} namespaces at once, the most that is read",
          name_, kNamespacesMax);
  }

  // `values` holds five pointers an attribute: name, prefix, URI, begin and end of the value.
  void Begin(std::string_view name, int count, const xmlChar** values) {
    if (++depth_ > kDepthMax)
      Throw(ErrorKind::kCorrupt, "{}: elements nest deeper than {}", name_, kDepthMax);
    if (!events_.begin) return;
    events_.begin(name, [&](std::string_view wanted) -> std::optional<std::string> {
      for (int i = 0; i < count; ++i) {
        const xmlChar** attribute = values + 5 * i;
        if (TextOf(attribute[0]) != wanted) continue;
        return std::string(reinterpret_cast<const char*>(attribute[3]),
                           static_cast<size_t>(attribute[4] - attribute[3]));
      }
      return std::nullopt;
    });
  }

  const std::string& name_;
  const XmlEvents& events_;
  int depth_ = 0;
  std::vector<int> declared_;  // namespaces, by open element
  int namespaces_ = 0;
};

}  // namespace

void ParseXml(std::string_view bytes, const std::string& name, const XmlEvents& events) {
  Parsing(name, events).Run(bytes);
}

}  // namespace statelib::documents
