// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_STATE_H_
#define STATELIB_CORE_ENGINE_STATE_H_

#include <span>
#include <vector>

#include "core/base/history.h"
#include "core/engine/state_pool.h"
#include "core/engine/token_pages.h"

namespace statelib::engine {

class Runtime;

/// One sequence's recurrent state in a backend's memory, and the history that it is the result of.
/// Tokens that a pass has left open (pass.h) are not part of it.
/// Made by a Runtime, usable with that runtime only, which must outlive it. Move-only: copies are
/// made by Runtime::Clone.
class State {
 public:
  const History& history() const { return history_; }
  /// Whether it has read nothing, so that no token can follow.
  bool is_empty() const { return history_ == History(); }
  uint64_t token_count() const { return history_.token_count(); }
  /// How many pages of keys and values it shares with other states, those of which it is a copy
  /// and its own copies.
  size_t shared_pages() const;

 private:
  friend class Batch;
  friend class Pass;
  friend class Runtime;
  friend class Snapshot;
  explicit State(StatePool& pool);

  /// Makes room for tokens behind those that it has read and those that were right.
  void PrepareWrite(uint64_t right, uint64_t tokens);
  /// A pass has read `right` of the tokens that were open, and `tokens` but for the last `open`
  /// ones. Lets go of what no later one reaches.
  void Read(size_t right, std::span<const TokenId> tokens, size_t open);

  const model::StateLayout* layout_;
  Slot slot_;
  std::vector<TokenPages> pages_;  // of each group
  History history_;
  std::vector<TokenId> open_;  // that a pass has computed and the state has not read
  // What operations keep of them: what the pass before has kept, and where the next one does. None
  // until something was open.
  kernels::Buffer room_before_, room_;
};

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_STATE_H_
