// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_PASS_H_
#define STATELIB_CORE_ENGINE_PASS_H_

#include <span>
#include <vector>

#include "core/base/history.h"
#include "core/engine/state.h"
#include "kernels/backend.h"

namespace statelib::engine {

/// One sequence, and the tokens that it reads now; none where only its state is asked for. Tokens
/// that may turn out wrong stay open: the state does not read them until the next pass says how
/// many of them were right (kernels/memory.h).
struct PrefillChunk {
  State* state;
  std::span<const TokenId> tokens;
  size_t open = 0;   ///< the last ones of `tokens`, at most StateLayout::kKeptRowsMax
  size_t right = 0;  ///< of those that the pass before has left open, the first ones
};

/// Makes room for `elements` in a buffer, whose contents go where it has to grow: to twice its
/// size at least, so that it seldom does. Errors: std::bad_alloc.
void Reserve(kernels::Backend& backend, size_t elements, kernels::DType dtype,
             kernels::Buffer* buffer);

/// The tokens and the table of sequences of one pass over a model, in the backend's memory. Its
/// addresses stay the same from pass to pass as long as it does not have to grow. One thread at a
/// time.
class Pass {
 public:
  Pass(kernels::Backend& backend, const model::StateLayout& layout)
      : backend_(backend), layout_(layout) {}

  /// Sets what the next pass is of, and makes the states writable for it. Errors: std::bad_alloc.
  void Set(std::span<const PrefillChunk> sequences);

  const kernels::SequenceTable& sequences() const { return table_; }
  const TokenId* tokens() const { return tokens_.data<TokenId>(); }

 private:
  void SetRoom(const PrefillChunk& sequence, kernels::SequenceEntry* entry);
  void SetPages(std::span<const PrefillChunk> sequences);

  kernels::Backend& backend_;
  const model::StateLayout& layout_;
  kernels::SequenceTable table_;
  kernels::Buffer entries_, tokens_, pages_;
  std::vector<std::byte*> host_pages_;  // [sequences][groups][page_stride]
  std::vector<kernels::SequenceEntry> host_entries_;
  std::vector<TokenId> host_tokens_;
};

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_PASS_H_
