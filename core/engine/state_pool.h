// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_STATE_POOL_H_
#define STATELIB_CORE_ENGINE_STATE_POOL_H_

#include <memory>
#include <vector>

#include "core/model/state_layout.h"
#include "kernels/backend.h"

namespace statelib::engine {

class StatePool;

/// The fixed part of one state in the backend's memory. Goes back to its pool, which must outlive
/// it. Move-only.
class Slot {
 public:
  Slot() = default;
  Slot(Slot&& other) noexcept;
  Slot& operator=(Slot&& other) noexcept;
  ~Slot();

  std::byte* data() { return memory_.bytes(); }
  const std::byte* data() const { return memory_.bytes(); }

 private:
  friend class StatePool;
  Slot(StatePool& pool, kernels::Buffer memory) : pool_(&pool), memory_(std::move(memory)) {}
  void GiveBack();

  StatePool* pool_ = nullptr;
  kernels::Buffer memory_;
};

/// A page of one or several states, which goes back to its pool with the last of them. It is
/// written by a state that has it alone.
using PageRef = std::shared_ptr<kernels::Buffer>;

/// Slots and pages of one layout. What is given back is handed out again, so that states that come
/// and go cost no allocation. One thread at a time.
class StatePool {
 public:
  StatePool(kernels::Backend& backend, const model::StateLayout& layout)
      : backend_(backend), layout_(layout), free_pages_(layout.groups()) {}
  StatePool(const StatePool&) = delete;
  StatePool& operator=(const StatePool&) = delete;

  kernels::Backend& backend() { return backend_; }
  const model::StateLayout& layout() const { return layout_; }
  /// Contents undefined. Errors: std::bad_alloc.
  Slot Take();
  PageRef TakePage(size_t group);

 private:
  friend class Slot;

  // What a generation with stop texts comes and goes with; more would keep memory for nothing.
  static constexpr size_t kFreeMax = 8;

  void GiveBackPage(size_t group, kernels::Buffer memory) noexcept;

  kernels::Backend& backend_;
  const model::StateLayout& layout_;
  std::vector<kernels::Buffer> free_;
  std::vector<std::vector<kernels::Buffer>> free_pages_;  // of each group
};

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_STATE_POOL_H_
