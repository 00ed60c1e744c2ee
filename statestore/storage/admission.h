// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_ADMISSION_H_
#define STATELIB_STATESTORE_STORAGE_ADMISSION_H_

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "statestore/storage/repository.h"

namespace statelib::storage {

/// What a state from outside may be before any of its frames is touched, which may hold a thousand
/// times as much as they are long. One thread.
class Admission {
 public:
  static constexpr uint64_t kStateBytesMax = uint64_t{1} << 30;

  /// The repository outlives the object. max_state_bytes: for a state of a model that no state here
  /// is of.
  explicit Admission(const Repository& repository, uint64_t max_state_bytes = kStateBytesMax)
      : repository_(repository), max_state_bytes_(max_state_bytes) {}

  /// Errors: kMismatch for segments other than those that states of the same model and profile have
  /// here; kInvalidArgument for a state of an unknown model of more than max_state_bytes.
  void Check(const StateDescription& state, const std::string& location);

 private:
  const std::optional<StateSpec>& KnownSpec(const StateDescription& state);

  const Repository& repository_;
  uint64_t max_state_bytes_;
  std::map<std::pair<Digest, std::string>, std::optional<StateSpec>> known_;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_ADMISSION_H_
