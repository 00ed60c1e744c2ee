// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_MODEL_STAMP_H_
#define STATELIB_STATESTORE_LIBRARY_MODEL_STAMP_H_

#include <filesystem>

#include "core/base/digest.h"
#include "core/engine/tokenizer_finder.h"

namespace statelib::library {

/// Everything by which a change of a model's files shows, those of its tokenizer too; no file is
/// opened. The time of the last change of a file's status cannot be set back, as that of its
/// content can. A file that is not there counts for nothing. Thread-safe; no errors.
Digest StampOf(const std::filesystem::path& model, const engine::TokenizerPlaces& tokenizers);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_MODEL_STAMP_H_
