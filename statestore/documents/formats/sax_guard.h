// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_DOCUMENTS_FORMATS_SAX_GUARD_H_
#define STATELIB_STATESTORE_DOCUMENTS_FORMATS_SAX_GUARD_H_

#include <libxml/parser.h>

#include <exception>
#include <string_view>

namespace statelib::documents {

inline std::string_view TextOf(const xmlChar* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

/// What receives the callbacks of a libxml2 parser. What is thrown in one is kept, for it must not
/// cross the parser: the parser is stopped, and further callbacks do nothing.
template <typename Self>
class SaxGuard {
 protected:
  /// The parser that calls back; not owned. Before the first callback.
  void Watch(xmlParserCtxt* context) { context_ = context; }

  /// Runs a callback's body, a function of Self&.
  template <typename Body>
  void Guard(const Body& body) {
    if (failure_) return;
    try {
      body(static_cast<Self&>(*this));
    } catch (...) {
      failure_ = std::current_exception();
      xmlStopParser(context_);
    }
  }

  bool failed() const { return failure_ != nullptr; }
  void RethrowFailure() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  xmlParserCtxt* context_ = nullptr;
  std::exception_ptr failure_;
};

}  // namespace statelib::documents

#endif  // STATELIB_STATESTORE_DOCUMENTS_FORMATS_SAX_GUARD_H_
