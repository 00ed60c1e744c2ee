// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/token_history.h"

#include <algorithm>

#include "core/base/error.h"
#include "statestore/storage/limits.h"
#include "statestore/storage/tokens_object.h"

namespace statelib::storage {

std::vector<TokenChunk> AppendTokens(ObjectStore& objects, std::vector<TokenChunk> before,
                                     std::span<const TokenId> tokens) {
  std::vector<TokenId> tail;
  if (!before.empty() && before.back().token_count < kTokensPerChunk && !tokens.empty()) {
    tail = ReadTokens(objects, std::span(before).last(1));
    before.pop_back();
  }
  tail.insert(tail.end(), tokens.begin(), tokens.end());
  for (size_t done = 0; done < tail.size(); done += kTokensPerChunk) {
    const size_t count = std::min<size_t>(kTokensPerChunk, tail.size() - done);
    const EncodedObject object = EncodeTokens(std::span(tail).subspan(done, count));
    objects.Put(object);
    before.push_back({object.id, static_cast<uint32_t>(count)});
  }
  return before;
}

std::vector<TokenId> ReadTokens(const ObjectStore& objects, std::span<const TokenChunk> chunks) {
  std::vector<TokenId> all;
  ForEachChunk(objects, chunks, [&](std::span<const TokenId> tokens) {
    all.insert(all.end(), tokens.begin(), tokens.end());
  });
  return all;
}

void ForEachChunk(const ObjectStore& objects, std::span<const TokenChunk> chunks,
                  const std::function<void(std::span<const TokenId>)>& visit) {
  for (const TokenChunk& chunk : chunks) {
    const std::string where = objects.PathOf(chunk.id).string();
    const std::vector<TokenId> tokens = DecodeTokens(objects.Get(chunk.id), where);
    if (tokens.size() != chunk.token_count) {
      Throw(ErrorKind::kCorrupt, "{}: expected {} tokens, found {}", where, chunk.token_count,
            tokens.size());
    }
    visit(tokens);
  }
}

}  // namespace statelib::storage
