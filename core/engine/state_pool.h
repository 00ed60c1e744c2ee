// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_STATE_POOL_H_
#define STATELIB_CORE_ENGINE_STATE_POOL_H_

#include <vector>

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

/// Slots of one size. What is given back is handed out again, so that states that come and go cost
/// no allocation. One thread at a time.
class StatePool {
 public:
  StatePool(kernels::Backend& backend, size_t slot_bytes)
      : backend_(backend), slot_bytes_(slot_bytes) {}
  StatePool(const StatePool&) = delete;
  StatePool& operator=(const StatePool&) = delete;

  size_t slot_bytes() const { return slot_bytes_; }
  /// Contents undefined. Errors: std::bad_alloc.
  Slot Take();

 private:
  friend class Slot;

  // What a generation with stop texts comes and goes with; more would keep memory for nothing.
  static constexpr size_t kFreeMax = 8;

  kernels::Backend& backend_;
  size_t slot_bytes_;
  std::vector<kernels::Buffer> free_;
};

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_STATE_POOL_H_
