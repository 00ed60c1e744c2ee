// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/admission.h"

#include "core/base/error.h"
#include "statestore/storage/state_object.h"

namespace statelib::storage {

void Admission::Check(const StateDescription& state, const std::string& location) {
  const uint64_t bytes = TotalBytes(state.spec);
  if (const std::optional<StateSpec>& known = KnownSpec(state)) {
    if (state.spec == *known) return;
    Throw(ErrorKind::kMismatch,
          "{}: expected the segments that states of its model have here, {} of {} bytes together, "
          "found {} of {}",
          location, known->size(), TotalBytes(*known), state.spec.size(), bytes);
  }
  if (bytes <= max_state_bytes_) return;
  Throw(ErrorKind::kInvalidArgument,
        "{}: a state of {} bytes, of a model that is not known here; expected at most {}: if it is "
        "to be, allow more with --max-bytes",
        location, bytes, max_state_bytes_);
}

const std::optional<StateSpec>& Admission::KnownSpec(const StateDescription& state) {
  const std::string profile = BaseProfileOf(state.profile);
  const auto [place, is_new] = known_.try_emplace({state.model.fingerprint, profile});
  if (!is_new) return place->second;
  const auto row = repository_.index().states().FindOfModel(state.model.fingerprint, profile);
  if (!row) return place->second;
  const std::string file = repository_.objects().PathOf(row->id).string();
  try {
    // The header alone is read: the pages of the frames are not touched.
    const MappedFile object = repository_.objects().Map(row->id);
    const StateDescription there =
        StateReader(object.bytes(), file, FileHash::kUnchecked).header().description;
    if (there.model.fingerprint == state.model.fingerprint) place->second = there.spec;
  } catch (const Error& error) {
    // One that is damaged says nothing.
    if (error.kind() == ErrorKind::kCancelled) throw;
  }
  return place->second;
}

}  // namespace statelib::storage
