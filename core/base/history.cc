// SPDX-License-Identifier: Apache-2.0
#include "core/base/history.h"

#include <array>

namespace statelib {

History::History() : chain_(HashOf(AsBytes("statelib history 1"))) {}

void History::Append(std::span<const TokenId> tokens) {
  std::array<std::byte, sizeof(Digest::bytes) + sizeof(TokenId)> link;
  for (const TokenId token : tokens) {
    std::memcpy(link.data(), chain_.bytes.data(), chain_.bytes.size());
    StoreLittle(token, link.data() + chain_.bytes.size());
    chain_ = HashOf(link);
  }
  token_count_ += tokens.size();
}

}  // namespace statelib
