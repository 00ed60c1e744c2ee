// SPDX-License-Identifier: Apache-2.0
#include "core/engine/state.h"

namespace statelib::engine {

State::State(StatePool& pool) : layout_(&pool.layout()), slot_(pool.Take()) {
  for (size_t group = 0; group < layout_->groups(); ++group) pages_.emplace_back(pool, group);
}

size_t State::shared_pages() const {
  size_t shared = 0;
  for (const TokenPages& pages : pages_) shared += pages.shared();
  return shared;
}

void State::PrepareWrite(uint64_t tokens) {
  for (TokenPages& pages : pages_) pages.PrepareWrite(token_count(), token_count() + tokens);
}

void State::Read(std::span<const TokenId> tokens) {
  history_.Append(tokens);
  for (size_t group = 0; group < pages_.size(); ++group)
    pages_[group].DropBefore(layout_->FirstKept(group, token_count()));
}

}  // namespace statelib::engine
