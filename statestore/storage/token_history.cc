// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/token_history.h"

#include <algorithm>

#include "core/base/error.h"
#include "statestore/storage/limits.h"
#include "statestore/storage/tokens_object.h"

namespace statelib::storage {

std::vector<TokenChunk> AppendTokens(ObjectStore& objects, std::vector<TokenChunk> before,
                                     const RunOf<TokenId>& tokens) {
  std::vector<TokenId> chunk;  // the one that is being filled
  if (!before.empty() && before.back().token_count < kTokensPerChunk && !tokens.empty()) {
    chunk = ReadTokens(objects, std::span(before).last(1));
    before.pop_back();
  }
  const auto put = [&] {
    const EncodedObject object = EncodeTokens(chunk);
    objects.Put(object);
    before.push_back({object.id, static_cast<uint32_t>(chunk.size())});
    chunk.clear();
  };
  tokens.ForEach([&](std::span<const TokenId> piece) {
    while (!piece.empty()) {
      const size_t count = std::min(piece.size(), kTokensPerChunk - chunk.size());
      chunk.insert(chunk.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count));
      piece = piece.subspan(count);
      if (chunk.size() == kTokensPerChunk) put();
    }
  });
  if (!chunk.empty()) put();
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
    const std::string location = objects.PathOf(chunk.id).string();
    const std::vector<TokenId> tokens = DecodeTokens(objects.Get(chunk.id), location);
    if (tokens.size() != chunk.token_count) {
      Throw(ErrorKind::kCorrupt, "{}: expected {} tokens, found {}", location, chunk.token_count,
            tokens.size());
    }
    visit(tokens);
  }
}

}  // namespace statelib::storage
