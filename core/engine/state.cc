// SPDX-License-Identifier: Apache-2.0
#include "core/engine/state.h"

#include <utility>

namespace statelib::engine {

State::State(StatePool& pool) : layout_(&pool.layout()), slot_(pool.Take()) {
  for (size_t group = 0; group < layout_->groups(); ++group) pages_.emplace_back(pool, group);
}

size_t State::shared_pages() const {
  size_t shared = 0;
  for (const TokenPages& pages : pages_) shared += pages.shared();
  return shared;
}

void State::PrepareWrite(uint64_t right, uint64_t tokens) {
  const uint64_t begin = token_count() + right;
  for (TokenPages& pages : pages_) pages.PrepareWrite(begin, begin + tokens);
}

void State::Read(size_t right, std::span<const TokenId> tokens, size_t open) {
  history_.Append(std::span(open_).first(right));
  history_.Append(tokens.first(tokens.size() - open));
  open_.assign(tokens.end() - static_cast<std::ptrdiff_t>(open), tokens.end());
  std::swap(room_before_, room_);
  for (size_t group = 0; group < pages_.size(); ++group)
    pages_[group].DropBefore(layout_->FirstKept(group, token_count()));
}

}  // namespace statelib::engine
