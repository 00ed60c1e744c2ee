// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_STATE_H_
#define STATELIB_CORE_ENGINE_STATE_H_

#include <span>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/history.h"
#include "core/base/segment.h"
#include "kernels/backend.h"

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
  friend class Runtime;
  State() = default;

  kernels::Buffer memory_;
  std::vector<float*> segments_;  // into memory_, in the order of the model's state spec
  History history_;
};

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_STATE_H_
