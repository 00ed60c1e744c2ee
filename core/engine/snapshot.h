// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_SNAPSHOT_H_
#define STATELIB_CORE_ENGINE_SNAPSHOT_H_

#include <memory>
#include <vector>

#include "core/base/bytes.h"
#include "core/engine/state.h"

namespace statelib::engine {

/// A state's segments on their way to the host, beside further work where the backend can: what the
/// state reads meanwhile does not show. Made by Runtime::BeginSnapshot, whose runtime must outlive
/// it; used by the thread that uses the runtime. Move-only.
class Snapshot {
 public:
  /// The segments' bytes, in the order of SpecFor(the state's token count). Called once. Errors:
  /// kernels::DeviceError.
  std::vector<Bytes> Finish();

 private:
  friend class Runtime;
  Snapshot(StatePool& pool, const State& state, uint64_t first_token);

  void TakeFixed(const std::byte* slot);

  const model::StateLayout* layout_;
  std::vector<Bytes> segments_;
  Slot copy_;  // of the slot, where the backend's memory is elsewhere
  Bytes staged_;
  std::unique_ptr<kernels::Transfer> transfer_;  // null: the fixed segments are there
  std::vector<PagesUnderWay> pages_;             // of each group
};

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_SNAPSHOT_H_
