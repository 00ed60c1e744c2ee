// SPDX-License-Identifier: Apache-2.0
#include "core/engine/pass.h"

#include <algorithm>

namespace statelib::engine {

namespace {

/// Makes room for `bytes`, and more where it has to grow at all.
void Reserve(kernels::Backend& backend, kernels::DType dtype, size_t bytes,
             kernels::Buffer* buffer) {
  if (bytes <= buffer->size_bytes()) return;
  const size_t wanted = std::max(bytes, 2 * buffer->size_bytes());
  *buffer = backend.Allocate((wanted + SizeOf(dtype) - 1) / SizeOf(dtype), dtype);
}

}  // namespace

void Pass::Set(std::span<const Item> items) {
  static_assert(std::is_same_v<TokenId, int32_t>);
  host_entries_.clear();
  host_tokens_.clear();
  table_.rows_longest = 0;
  for (const Item& item : items) {
    host_entries_.push_back({static_cast<uint32_t>(host_tokens_.size()),
                             static_cast<uint32_t>(item.tokens.size()), item.state->token_count(),
                             item.state->slot_.data(), nullptr});
    host_tokens_.insert(host_tokens_.end(), item.tokens.begin(), item.tokens.end());
    table_.rows_longest = std::max(table_.rows_longest, item.tokens.size());
  }
  const auto entries = std::as_bytes(std::span(host_entries_)),
             tokens = std::as_bytes(std::span(host_tokens_));
  Reserve(backend_, kernels::DType::kF32, entries.size(), &entries_);
  Reserve(backend_, kernels::DType::kI32, tokens.size(), &tokens_);
  backend_.UploadBytes(entries, entries_.bytes());
  backend_.UploadBytes(tokens, tokens_.bytes());
  table_.entries = reinterpret_cast<const kernels::SequenceEntry*>(entries_.bytes());
  table_.count = items.size();
  table_.rows = host_tokens_.size();
}

}  // namespace statelib::engine
