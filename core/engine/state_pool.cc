// SPDX-License-Identifier: Apache-2.0
#include "core/engine/state_pool.h"

#include <utility>

namespace statelib::engine {

Slot::Slot(Slot&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)), memory_(std::move(other.memory_)) {}

Slot& Slot::operator=(Slot&& other) noexcept {
  if (this == &other) return *this;
  GiveBack();
  pool_ = std::exchange(other.pool_, nullptr);
  memory_ = std::move(other.memory_);
  return *this;
}

Slot::~Slot() { GiveBack(); }

void Slot::GiveBack() {
  if (pool_ != nullptr && pool_->free_.size() < StatePool::kFreeMax)
    pool_->free_.push_back(std::move(memory_));
  pool_ = nullptr;
}

Slot StatePool::Take() {
  free_.reserve(kFreeMax);  // so that giving back never fails
  if (free_.empty()) return {*this, backend_.Allocate(slot_bytes_ / sizeof(float))};
  Slot slot(*this, std::move(free_.back()));
  free_.pop_back();
  return slot;
}

}  // namespace statelib::engine
