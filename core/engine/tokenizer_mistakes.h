// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_TOKENIZER_MISTAKES_H_
#define STATELIB_CORE_ENGINE_TOKENIZER_MISTAKES_H_

#include <filesystem>
#include <string>

#include "core/base/bytes.h"

namespace statelib::engine {

/// What a file that was given as a tokenizer is instead, for a message ("a vocab.json, which has
/// tokens without their merges"); empty where it may be a tokenizer, or nothing is known of it.
std::string OtherThanTokenizer(ByteSpan file);

/// Refuses `path`, which is `what`, with the tokenizer.json beside it as advice where there is one.
/// Error: kInvalidArgument.
[[noreturn]] void RefuseAsTokenizer(const std::filesystem::path& path, const std::string& what);

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_TOKENIZER_MISTAKES_H_
