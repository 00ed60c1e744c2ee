// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_DOCUMENTS_FORMATS_HTML_H_
#define STATELIB_STATESTORE_DOCUMENTS_FORMATS_HTML_H_

#include <string>
#include <string_view>

#include "statestore/documents/formats/text_flow.h"

namespace statelib::documents {

/// Adds a page's readable text, as a paragraph of its own, to `flow`. `utf8` is the whole page,
/// `name` for messages. Errors: kInvalidArgument for elements of more than 1,000 attributes
/// (start_tag.h), and for more than four billion as the number of tags times their depth.
void AddHtml(std::string_view utf8, const std::string& name, TextFlow& flow);

}  // namespace statelib::documents

#endif  // STATELIB_STATESTORE_DOCUMENTS_FORMATS_HTML_H_
