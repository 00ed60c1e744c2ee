// SPDX-License-Identifier: Apache-2.0
#include "core/engine/pass.h"

#include <algorithm>

#include "kernels/check.h"

namespace statelib::engine {

void Reserve(kernels::Backend& backend, size_t elements, kernels::DType dtype,
             kernels::Buffer* buffer) {
  if (elements > buffer->size())
    *buffer = backend.Allocate(std::max(elements, 2 * buffer->size()), dtype);
}

void Pass::Set(std::span<const PrefillChunk> sequences) {
  static_assert(std::is_same_v<TokenId, int32_t>);
  SetPages(sequences);
  const auto* const pages = reinterpret_cast<std::byte* const*>(pages_.bytes());
  host_entries_.clear();
  host_tokens_.clear();
  table_.rows_longest = 0;
  for (size_t i = 0; i < sequences.size(); ++i) {
    const PrefillChunk& sequence = sequences[i];
    kernels::SequenceEntry entry;
    entry.first_row = static_cast<uint32_t>(host_tokens_.size());
    entry.row_count = static_cast<uint32_t>(sequence.tokens.size());
    entry.position = sequence.state->token_count() + sequence.right;
    entry.slot = sequence.state->slot_.data();
    SetRoom(sequence, &entry);
    if (layout_.groups() > 0) entry.pages = pages + i * layout_.groups() * table_.page_stride;
    host_entries_.push_back(entry);
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
  table_.kept_rows_max = model::StateLayout::kKeptRowsMax;
}

void Pass::SetRoom(const PrefillChunk& sequence, kernels::SequenceEntry* entry) {
  State& state = *sequence.state;
  STATELIB_CHECK(sequence.open <= model::StateLayout::kKeptRowsMax);
  STATELIB_CHECK(sequence.right <= state.open_.size());
  entry->open_rows = static_cast<uint32_t>(sequence.open);
  entry->kept_rows = static_cast<uint32_t>(sequence.right);
  if (sequence.open > 0)
    Reserve(backend_, layout_.room_bytes() / sizeof(float), kernels::DType::kF32, &state.room_);
  entry->kept_before = state.room_before_.bytes();
  entry->kept = state.room_.bytes();
}

void Pass::SetPages(std::span<const PrefillChunk> sequences) {
  if (layout_.groups() == 0) return;
  for (const PrefillChunk& sequence : sequences) {
    sequence.state->PrepareWrite(sequence.right, sequence.tokens.size());
    for (const TokenPages& pages : sequence.state->pages_) {
      if (pages.count() > table_.page_stride)
        table_.page_stride = std::max(pages.count(), 2 * table_.page_stride);
    }
  }
  host_pages_.assign(sequences.size() * layout_.groups() * table_.page_stride, nullptr);
  std::span<std::byte*> to = host_pages_;
  for (const PrefillChunk& sequence : sequences) {
    for (const TokenPages& pages : sequence.state->pages_) {
      pages.List(to.first(pages.count()));
      to = to.subspan(table_.page_stride);
    }
  }
  const auto bytes = std::as_bytes(std::span(host_pages_));
  Reserve(backend_, bytes.size() / sizeof(float), kernels::DType::kF32, &pages_);
  backend_.UploadBytes(bytes, pages_.bytes());
}

}  // namespace statelib::engine
