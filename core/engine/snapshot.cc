// SPDX-License-Identifier: Apache-2.0
#include "core/engine/snapshot.h"

#include <algorithm>

namespace statelib::engine {

Snapshot::Snapshot(StatePool& pool, const State& state, uint64_t first_token)
    : layout_(&pool.layout()), segments_(layout_->segments().size()) {
  kernels::Backend& backend = pool.backend();
  const uint64_t end = state.token_count();
  for (size_t group = 0; group < layout_->groups(); ++group) {
    const uint64_t begin = std::max(first_token, layout_->FirstKept(group, end));
    pages_.push_back(state.pages_[group].BeginRead(begin, end));
  }
  std::byte* const slot = const_cast<std::byte*>(state.slot_.data());
  if (const std::byte* const host = backend.HostAddress(slot)) {
    TakeFixed(host);
    return;
  }
  // The state goes on in its slot, so that a copy of it is brought.
  copy_ = pool.Take();
  backend.CopyBytes(slot, copy_.data(), layout_->slot_bytes());
  staged_.resize(layout_->slot_bytes());
  transfer_ = backend.BeginDownload(copy_.data(), staged_);
}

void Snapshot::TakeFixed(const std::byte* slot) {
  for (size_t i = 0; i < segments_.size(); ++i) {
    if (layout_->segments()[i].is_per_token) continue;
    const std::byte* const begin = slot + layout_->OffsetOf(i);
    segments_[i].assign(begin, begin + layout_->segments()[i].spec.bytes());
  }
}

std::vector<Bytes> Snapshot::Finish() {
  if (transfer_ != nullptr) {
    transfer_->Wait();
    TakeFixed(staged_.data());
  }
  for (size_t group = 0; group < pages_.size(); ++group) {
    pages_[group].Finish([&](const std::byte* page, const PageRows& rows) {
      layout_->ForEachOfGroup(group, [&](size_t i, size_t offset, size_t token_bytes) {
        const std::byte* const first = page + offset + rows.row * token_bytes;
        segments_[i].insert(segments_[i].end(), first, first + rows.count * token_bytes);
      });
    });
  }
  return std::move(segments_);
}

}  // namespace statelib::engine
