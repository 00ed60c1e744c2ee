// SPDX-License-Identifier: Apache-2.0
#include "statestore/documents/formats/start_tag.h"

#include "core/base/error.h"

namespace statelib::documents {

namespace {

// libxml2 cuts longer names, and goes on with the rest as with another attribute.
constexpr size_t kNameBytesMax = 100;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Letters, and what may stand in a name behind its first character.
bool IsNameByte(char c, bool is_first) {
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  if (is_letter || c == '_' || c == ':' || c == '.') return true;
  return !is_first && ((c >= '0' && c <= '9') || c == '-');
}

}  // namespace

void StartTagBound::Check(const xmlParserCtxt& parser) {
  // libxml2 looks for a name in lists that grow with the number of names.
  if (xmlDictSize(parser.dict) > kNamesMax) {
    Throw(ErrorKind::kInvalidArgument,
          "{}: more than {} different names of elements and attributes, the most that is read",
          name_, kNamesMax);
  }
  const xmlParserInput* input = parser.input;
  if (parser.instate != XML_PARSER_START_TAG || input == nullptr || input->cur == nullptr ||
      input->cur >= input->end || *input->cur != '<') {
    return;
  }
  const unsigned long place =
      input->consumed + static_cast<unsigned long>(input->cur - input->base) + 1;
  if (place != place_) {
    place_ = place;
    seen_ = 0;
    attributes_ = 0;
    at_ = At::kTagName;
    name_bytes_ = 0;
  }
  const std::string_view tag(reinterpret_cast<const char*>(input->cur),
                             static_cast<size_t>(input->end - input->cur));
  for (; seen_ < tag.size() && at_ != At::kEnd; ++seen_) Take(tag[seen_]);
  if (attributes_ <= kAttributesMax) return;
  Throw(ErrorKind::kInvalidArgument,
        "{}: an element with more than {} attributes, the most that is read", name_,
        kAttributesMax);
}

void StartTagBound::Take(char c) {
  switch (at_) {
    case At::kTagName:
      if (c == '>') at_ = At::kEnd;
      if (IsBlank(c)) at_ = At::kBetween;
      if (c == '/') at_ = At::kPassedOver;
      if (++name_bytes_ % kNameBytesMax == 0) ++attributes_;
      return;
    case At::kBetween:
      return TakeName(c);
    case At::kName:
      if (IsBlank(c) || c == '=' || c == '/' || c == '>') {
        at_ = is_name_ ? At::kAfterName : At::kPassedOver;
        return Take(c);
      }
      if (++name_bytes_ % kNameBytesMax == 0) ++attributes_;
      is_name_ = is_name_ && IsNameByte(c, false) && name_bytes_ < kNameBytesMax;
      return;
    case At::kAfterName:
      if (c == '=') at_ = At::kBeforeValue;
      if (c != '=' && !IsBlank(c)) TakeName(c);
      return;
    case At::kBeforeValue:
      if (IsBlank(c)) return;
      quote_ = c;
      at_ = c == '"' || c == '\'' ? At::kQuoted : At::kPassedOver;
      if (c == '>') at_ = At::kEnd;
      return;
    case At::kQuoted:
      if (c == quote_) at_ = At::kBetween;
      return;
    case At::kPassedOver:
      if (IsBlank(c)) at_ = At::kBetween;
      if (c == '>') at_ = At::kEnd;
      return;
    case At::kEnd:
      return;
  }
}

void StartTagBound::TakeName(char c) {
  if (IsBlank(c) || c == '/') {
    at_ = c == '/' ? At::kPassedOver : At::kBetween;
    return;
  }
  if (c == '>') {
    at_ = At::kEnd;
    return;
  }
  ++attributes_;
  at_ = At::kName;
  name_bytes_ = 1;
  is_name_ = IsNameByte(c, true);
}

}  // namespace statelib::documents
