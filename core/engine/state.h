// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_STATE_H_
#define STATELIB_CORE_ENGINE_STATE_H_

#include <utility>

#include "core/base/history.h"
#include "core/engine/state_pool.h"

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

 private:
  friend class Batch;
  friend class Pass;
  friend class Runtime;
  explicit State(Slot slot) : slot_(std::move(slot)) {}

  Slot slot_;
  History history_;
};

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_STATE_H_
