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

  /// Makes room for the next tokens, and lets go of what no later one reaches.
  void PrepareWrite(uint64_t tokens);
  void Read(std::span<const TokenId> tokens);

  const model::StateLayout* layout_;
  Slot slot_;
  std::vector<TokenPages> pages_;  // of each group
  History history_;
};

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_STATE_H_
