// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_TOKENS_OBJECT_H_
#define STATELIB_STATESTORE_STORAGE_TOKENS_OBJECT_H_

#include <span>
#include <string>
#include <vector>

#include "core/base/byte_source.h"
#include "statestore/storage/limits.h"
#include "statestore/storage/records.h"

// A run of a history's tokens as one file: head (file_head.h) with a TokensHeader, then one zstd
// frame with the ids, to the end of the file.
namespace statelib::storage {

/// The object of 1 to kTokensPerChunk tokens, ids >= 0. Takes the shorter of the two encodings.
/// Errors: kInvalidArgument.
EncodedObject EncodeTokens(std::span<const TokenId> tokens);

/// The tokens of an object. `location` names the file in messages. Memory: that of kTokensPerChunk
/// tokens. Errors: kCorrupt, kUnsupported, kIo.
std::vector<TokenId> DecodeTokens(const ByteSource& file, const std::string& location);
std::vector<TokenId> DecodeTokens(ByteSpan file, const std::string& location);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_TOKENS_OBJECT_H_
