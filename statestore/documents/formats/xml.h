// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_DOCUMENTS_FORMATS_XML_H_
#define STATELIB_STATESTORE_DOCUMENTS_FORMATS_XML_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace statelib::documents {

/// An attribute's value by its name without prefix, entities decoded; empty when there is none.
using XmlAttributes = std::function<std::optional<std::string>(std::string_view name)>;

/// What to do with a document's elements, in order. Names are without prefix.
struct XmlEvents {
  std::function<void(std::string_view name, const XmlAttributes& attributes)> begin;
  std::function<void(std::string_view name)> end;
  std::function<void(std::string_view text)> text;
};

/// Parses well-formed XML. Elements may nest 256 deep and have 1,000 attributes (start_tag.h),
/// 1,000 namespaces may be in scope. A document that declares entities is refused, so that none can
/// expand, and nothing outside is ever loaded. Errors: kCorrupt with `name` and the line;
/// kInvalidArgument beyond the limits; what an event throws.
void ParseXml(std::string_view bytes, const std::string& name, const XmlEvents& events);

}  // namespace statelib::documents

#endif  // STATELIB_STATESTORE_DOCUMENTS_FORMATS_XML_H_
