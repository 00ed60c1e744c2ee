// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/statistics.h"

#include <map>

namespace statelib::library {

namespace {

/// The states and what they share.
void AddStates(const storage::Index& index,
               const std::map<storage::ObjectId, uint64_t>& stored_bytes, LibraryStatistics* sum) {
  std::map<storage::ObjectId, uint64_t> uses;  // of tokens objects
  index.states().ForEach([&](const storage::StateRow& state) {
    const size_t versions = index.references().NamesOf(state.id).size();
    ++sum->states;
    sum->versions += versions;
    sum->raw_bytes += state.raw_bytes;
    sum->state_bytes += state.stored_bytes;
    if (versions > 1) sum->shared_bytes += (versions - 1) * state.stored_bytes;
    if (versions == 0 && index.checkpoints().Find(state.id)) ++sum->checkpoints;
    for (const storage::TokenChunk& chunk : index.states().ChunksOf(state.id)) ++uses[chunk.id];
  });
  for (const auto& [id, count] : uses) {
    const auto found = stored_bytes.find(id);
    const uint64_t bytes = found == stored_bytes.end() ? 0 : found->second;
    ++sum->tokens_objects;
    sum->token_bytes += bytes;
    sum->shared_bytes += (count - 1) * bytes;
  }
}

}  // namespace

LibraryStatistics Statistics(const Library& library) {
  const storage::Repository& repository = library.repository();
  const storage::Lease lease = repository.ReadLease();
  std::map<storage::ObjectId, uint64_t> stored_bytes;
  repository.objects().ForEach(
      [&](const storage::ObjectId& id, uint64_t bytes) { stored_bytes.emplace(id, bytes); });
  LibraryStatistics sum;
  const storage::Index& index = repository.index();
  index.Read([&] {
    sum.names = index.references().List({}).size();
    sum.models = index.models().All().size();
    AddStates(index, stored_bytes, &sum);
    const auto needs = index.states().NeedsObject();
    for (const auto& [id, bytes] : stored_bytes) {
      if (needs(id)) continue;
      ++sum.unneeded_objects;
      sum.unneeded_bytes += bytes;
    }
  });
  sum.index_bytes = repository.files().FileSize(repository.places().index);
  return sum;
}

}  // namespace statelib::library
