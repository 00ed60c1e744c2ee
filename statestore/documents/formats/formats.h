// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_DOCUMENTS_FORMATS_FORMATS_H_
#define STATELIB_STATESTORE_DOCUMENTS_FORMATS_FORMATS_H_

#include <string>
#include <string_view>

#include "statestore/documents/format.h"

// The readers of documents, a file a format. They work on files from anywhere with libraries that
// were not written for that, so the product runs them in a process of their own (statelib-extract)
// under limits; nothing else links them. Every reader is a function of the bytes, gives UTF-8 of at
// most kWholeTextBytesMax, and throws Error with one line: kCorrupt for a damaged file,
// kUnsupported for one that holds no text or a feature that is not read, kInvalidArgument for one
// that is too large. `name` is for messages.
namespace statelib::documents {

/// Recognises the file and reads it with its reader.
ExtractedText Extract(std::string_view bytes, const std::string& name);

/// Text in any encoding that can be told apart.
ExtractedText ReadText(std::string_view bytes, const std::string& name);
/// What a browser would show of a page, in plain text: no markup, no scripts, no navigation.
ExtractedText ReadHtml(std::string_view bytes, const std::string& name);
ExtractedText ReadPdf(std::string_view bytes, const std::string& name);
ExtractedText ReadDocx(std::string_view bytes, const std::string& name);
ExtractedText ReadEpub(std::string_view bytes, const std::string& name);

}  // namespace statelib::documents

#endif  // STATELIB_STATESTORE_DOCUMENTS_FORMATS_FORMATS_H_
