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
  if (free_.empty()) return {*this, backend_.Allocate(layout_.slot_bytes() / sizeof(float))};
  Slot slot(*this, std::move(free_.back()));
  free_.pop_back();
  return slot;
}

PageRef StatePool::TakePage(size_t group) {
  std::vector<kernels::Buffer>& free = free_pages_[group];
  free.reserve(kFreeMax);
  auto page = std::make_unique<kernels::Buffer>();
  if (free.empty()) {
    *page = backend_.Allocate(layout_.page_bytes(group) / sizeof(float));
  } else {
    *page = std::move(free.back());
    free.pop_back();
  }
  return {page.release(), [this, group](kernels::Buffer* memory) {
            GiveBackPage(group, std::move(*memory));
            delete memory;
          }};
}

void StatePool::GiveBackPage(size_t group, kernels::Buffer memory) noexcept {
  if (free_pages_[group].size() < kFreeMax) free_pages_[group].push_back(std::move(memory));
}

}  // namespace statelib::engine
