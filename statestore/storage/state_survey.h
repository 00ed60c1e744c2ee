// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_STATE_SURVEY_H_
#define STATELIB_STATESTORE_STORAGE_STATE_SURVEY_H_

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "core/base/cancel.h"
#include "statestore/storage/index_states.h"
#include "statestore/storage/object_store.h"

namespace statelib::storage {

/// A state whose object, with its base and its tokens, is sound.
struct SurveyedState {
  StateRow row;  ///< created_at_ms is 0
  ModelIdentity model;
  std::vector<TokenChunk> chunks;
  /// The longest other state that its tokens begin with, if they are kept.
  std::optional<StateId> prefix{};
};

struct SurveyControl {
  const CancelFlag* cancel = nullptr;
  std::function<void(uint64_t objects_done, uint64_t objects_total)> on_progress{};
};

/// What the objects of a library are.
struct StateSurvey {
  std::map<StateId, SurveyedState> states;
  std::map<ObjectId, std::string> damaged;  ///< objects that are named like one, and what is wrong
};

/// Reads all objects and checks all that verify checks of states. Of states whose tokens are not
/// kept no prefix is found. Time: one reading of all bytes, and the kept tokens once more. Errors:
/// kCancelled, kIo.
StateSurvey SurveyStates(const ObjectStore& objects, const SurveyControl& control = {});

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_STATE_SURVEY_H_
