// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_TOKEN_HISTORY_H_
#define STATELIB_STATESTORE_STORAGE_TOKEN_HISTORY_H_

#include <functional>
#include <span>
#include <vector>

#include "core/base/spool.h"
#include "statestore/storage/object_store.h"
#include "statestore/storage/records.h"

namespace statelib::storage {

/// Stores the tokens that follow a stored history and returns the chunks of the whole. Full chunks
/// of `before` are kept as they are; only its last, partial one is read and written anew.
/// Errors: those of ObjectStore.
std::vector<TokenChunk> AppendTokens(ObjectStore& objects, std::vector<TokenChunk> before,
                                     const RunOf<TokenId>& tokens);

/// All tokens of a stored history. Errors: those of ObjectStore; kCorrupt when a chunk holds
/// another number of tokens than `chunks` says.
std::vector<TokenId> ReadTokens(const ObjectStore& objects, std::span<const TokenChunk> chunks);

/// Calls back with the tokens of one chunk after the other. Errors: as ReadTokens.
void ForEachChunk(const ObjectStore& objects, std::span<const TokenChunk> chunks,
                  const std::function<void(std::span<const TokenId>)>& visit);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_TOKEN_HISTORY_H_
