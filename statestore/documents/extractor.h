// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_DOCUMENTS_EXTRACTOR_H_
#define STATELIB_STATESTORE_DOCUMENTS_EXTRACTOR_H_

#include <filesystem>
#include <string>
#include <string_view>

#include "core/base/cancel.h"
#include "statestore/documents/format.h"

namespace statelib::documents {

/// The processor time that one document may take.
inline constexpr unsigned kExtractCpuSecondsMax = 120;

/// Gets the text out of documents. Plain UTF-8 is taken as it is; everything else is read by the
/// program statelib-extract (formats/), a process a document, under limits of memory and time, so
/// that a file that breaks a reader costs that file. Thread-safe.
class Extractor {
 public:
  /// `program` is statelib-extract. It is not looked at before it is needed.
  explicit Extractor(std::filesystem::path program) : program_(std::move(program)) {}

  /// The text of a file's bytes; `name` helps to recognise it and is for messages. Plain UTF-8
  /// keeps damaged bytes, which the tokenizer reads as U+FFFD; all else is valid UTF-8.
  /// Errors: kUnsupported for what holds no text, kCorrupt for a damaged document,
  /// kInvalidArgument for one that is too large or takes too long; kNotFound when statelib-extract
  /// is missing; kCancelled; kIo.
  ExtractedText Extract(std::string bytes, const std::string& name,
                        const CancelFlag* cancel = nullptr) const;

 private:
  std::filesystem::path program_;
};

}  // namespace statelib::documents

#endif  // STATELIB_STATESTORE_DOCUMENTS_EXTRACTOR_H_
