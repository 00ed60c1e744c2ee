// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_DOCUMENTS_FORMATS_TEXT_FLOW_H_
#define STATELIB_STATESTORE_DOCUMENTS_FORMATS_TEXT_FLOW_H_

#include <algorithm>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/utf8.h"

namespace statelib::documents {

/// Puts a document's pieces of text together: white space runs become one space, breaks of lines
/// and blocks at most one empty line, none at the beginning and one line feed at the end. One
/// thread. Errors: kInvalidArgument when the text grows too long.
class TextFlow {
 public:
  explicit TextFlow(std::string name) : name_(std::move(name)) {}

  /// Text of a paragraph: its line feeds are spaces.
  void Text(std::string_view text) {
    for (const char c : text) {
      if (c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f')
        space_ = true;
      else
        Put(c);
    }
    Check();
  }
  /// Text whose white space counts, as in a listing.
  void Verbatim(std::string_view text) {
    for (const char c : text) {
      if (c == '\r') continue;
      if (c == '\n') {
        Flush();
        text_ += '\n';
        space_ = false;
      } else {
        if (space_ && c == ' ') Flush();
        Put(c);
      }
    }
    Check();
  }
  void Line() { breaks_ = std::max(breaks_, 1); }       ///< what follows begins a line
  void Paragraph() { breaks_ = std::max(breaks_, 2); }  ///< … after an empty line
  /// What follows begins an item of a list.
  void Item() {
    Line();
    item_ = true;
  }
  /// What follows stands after a tab on the same line, if that has begun.
  void Cell() {
    if (breaks_ == 0 && !text_.empty()) tab_ = true;
  }

  std::string Finish() {
    while (!text_.empty() && (text_.back() == '\n' || text_.back() == ' ')) text_.pop_back();
    if (!text_.empty()) text_ += '\n';
    return std::move(text_);
  }

 private:
  void Put(char c) {
    Flush();
    text_ += c;
  }
  /// Writes the white space that was asked for since the last character.
  void Flush() {
    if (text_.empty()) {
      // Nothing before the first character.
    } else if (breaks_ > 0) {
      // A listing may have ended its last line itself.
      int there = 0;
      while (there < breaks_ && static_cast<size_t>(there) < text_.size() &&
             text_[text_.size() - 1 - static_cast<size_t>(there)] == '\n')
        ++there;
      text_.append(static_cast<size_t>(breaks_ - there), '\n');
    } else if (tab_) {
      text_ += '\t';
    } else if (space_ && text_.back() != '\n') {
      text_ += ' ';
    }
    if (item_) text_ += "- ";
    breaks_ = 0;
    tab_ = false;
    space_ = false;
    item_ = false;
  }
  void Check() const {
    if (text_.size() <= kWholeTextBytesMax) return;
    Throw(ErrorKind::kInvalidArgument,
          "{}: its text is longer than {} bytes, the most that is read; split it", name_,
          kWholeTextBytesMax);
  }

  std::string name_;
  std::string text_;
  int breaks_ = 0;
  bool tab_ = false;
  bool space_ = false;
  bool item_ = false;
};

}  // namespace statelib::documents

#endif  // STATELIB_STATESTORE_DOCUMENTS_FORMATS_TEXT_FLOW_H_
