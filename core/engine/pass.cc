// SPDX-License-Identifier: Apache-2.0
#include "core/engine/pass.h"

#include <algorithm>

namespace statelib::engine {

void Reserve(kernels::Backend& backend, size_t elements, kernels::DType dtype,
             kernels::Buffer* buffer) {
  if (elements > buffer->size())
    *buffer = backend.Allocate(std::max(elements, 2 * buffer->size()), dtype);
}

void Pass::Set(std::span<const PrefillChunk> sequences) {
  static_assert(std::is_same_v<TokenId, int32_t>);
  host_entries_.clear();
  host_tokens_.clear();
  table_.rows_longest = 0;
  for (const PrefillChunk& sequence : sequences) {
    host_entries_.push_back({static_cast<uint32_t>(host_tokens_.size()),
                             static_cast<uint32_t>(sequence.tokens.size()),
                             sequence.state->token_count(), sequence.state->slot_.data(), nullptr});
    host_tokens_.insert(host_tokens_.end(), sequence.tokens.begin(), sequence.tokens.end());
    table_.rows_longest = std::max(table_.rows_longest, sequence.tokens.size());
  }
  const auto entries = std::as_bytes(std::span(host_entries_)),
             tokens = std::as_bytes(std::span(host_tokens_));
  static_assert(sizeof(kernels::SequenceEntry) % sizeof(float) == 0);
  Reserve(backend_, entries.size() / sizeof(float), kernels::DType::kF32, &entries_);
  Reserve(backend_, host_tokens_.size(), kernels::DType::kI32, &tokens_);
  backend_.UploadBytes(entries, entries_.bytes());
  backend_.UploadBytes(tokens, tokens_.bytes());
  table_.entries = reinterpret_cast<const kernels::SequenceEntry*>(entries_.bytes());
  table_.count = sequences.size();
  table_.rows = host_tokens_.size();
}

}  // namespace statelib::engine
