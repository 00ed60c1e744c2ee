// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_DOCUMENTS_FORMATS_START_TAG_H_
#define STATELIB_STATESTORE_DOCUMENTS_FORMATS_START_TAG_H_

#include <libxml/parser.h>

#include <string>
#include <string_view>

namespace statelib::documents {

/// How many bytes a push parser is given at once, so that StartTagBound sees every long tag.
inline constexpr size_t kMarkupBlockBytes = 4096;

/// Bounds the attributes of an element while libxml2 waits for the end of its start tag: it
/// compares every attribute with all before it, so that their number has to be known before it sees
/// them. It is never counted too low, and a tag of one block may have as many as the block holds.
/// Bounds the names of the whole document too. One thread.
class StartTagBound {
 public:
  static constexpr size_t kAttributesMax = 1000;
  static constexpr int kNamesMax = 100'000;  ///< different ones, of elements and attributes

  /// `name` is the document's, for messages, and outlives the object.
  explicit StartTagBound(const std::string& name) : name_(name) {}

  /// To be called after every block. Errors: kInvalidArgument for an element of more attributes and
  /// for a document of more names.
  void Check(const xmlParserCtxt& parser);

 private:
  enum class At {
    kTagName,
    kBetween,
    kName,
    kAfterName,
    kBeforeValue,
    kQuoted,
    kPassedOver,  // a value without quotes, or what is no attribute, up to the next blank
    kEnd
  };

  void Take(char c);
  void TakeName(char c);

  const std::string& name_;
  unsigned long place_ = 0;  // of the tag, in what the parser has read
  size_t seen_ = 0;          // bytes of it
  size_t attributes_ = 0;
  At at_ = At::kTagName;
  size_t name_bytes_ = 0;  // of the tag's or the attribute's name
  bool is_name_ = true;    // whether libxml2 takes it for one
  char quote_ = '"';
};

}  // namespace statelib::documents

#endif  // STATELIB_STATESTORE_DOCUMENTS_FORMATS_START_TAG_H_
