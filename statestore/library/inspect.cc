// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/inspect.h"

#include <algorithm>

#include "core/base/error.h"
#include "statestore/storage/segment_codec.h"
#include "statestore/storage/state_object.h"

namespace statelib::library {

namespace {

constexpr size_t kLineageMax = 10'000;

void AddObjectFacts(const storage::Repository& repository, StateDetails* details) {
  const storage::StateId& id = details->resolved.state.id;
  const MappedFile file = repository.objects().Map(id);
  details->object_path = file.path();
  const storage::StateReader reader(file.bytes(), file.path().string());
  const storage::StateHeader& header = reader.header();
  details->model = header.description.model;
  details->fidelity = header.fidelity;
  for (size_t i = 0; i < header.segments.size(); ++i) {
    const storage::SegmentEntry& entry = header.segments[i];
    details->segments.push_back({header.description.spec[i], storage::NameOf(entry.codec),
                                 entry.raw_bytes, entry.stored_bytes});
  }
  for (const storage::TokenChunk& chunk : header.description.chunks) {
    ++details->token_chunks;
    if (repository.objects().Exists(chunk.id))
      details->token_chunk_bytes += repository.objects().StoredBytes(chunk.id);
  }
}

}  // namespace

std::vector<storage::ReferenceRow> List(const Library& library,
                                        const storage::ReferenceQuery& query) {
  return library.repository().index().references().List(query);
}

StateDetails Show(const Library& library, const std::string& text) {
  const storage::Repository& repository = library.repository();
  const storage::Lease lease = repository.ReadLease();
  const storage::Index& index = repository.index();
  StateDetails details;
  details.resolved = library.Resolve(text);
  index.Read([&] {
    const storage::StateRow& state = details.resolved.state;
    if (const auto model = index.models().Find(state.model)) details.model_name = model->name;
    details.proofs = index.states().ProofsOf(state.id);
    details.checkpoint = index.checkpoints().Find(state.id);
    details.names = index.references().NamesOf(state.id);
    if (details.resolved.derivation)
      details.lineage = index.lineage().AncestorsOf(*details.resolved.derivation, kLineageMax);
  });
  AddObjectFacts(repository, &details);
  return details;
}

std::vector<LogEntry> Log(const Library& library, const std::string& text) {
  const storage::Index& index = library.repository().index();
  storage::Reference reference;
  if (text.find('@') == std::string::npos)
    reference = storage::Reference::Parse(text);
  else
    reference = *library.Resolve(text).reference;
  std::vector<LogEntry> entries;
  index.Read([&] {
    for (const storage::VersionRow& version :
         index.references().Versions(reference.name, reference.tag)) {
      if (reference.version && version.number > *reference.version) continue;
      LogEntry entry;
      entry.version = version;
      entry.derivation = index.lineage().Get(version.derivation);
      entry.token_count = entry.derivation.token_count;
      const auto parent = entry.derivation.parent
                              ? index.references().VersionBy(*entry.derivation.parent)
                              : std::nullopt;
      entry.made_from = parent ? parent->Text() : entry.derivation.made_from;
      entries.push_back(std::move(entry));
    }
  });
  if (entries.empty()) library.repository().ThrowUnknown(reference);
  std::reverse(entries.begin(), entries.end());
  return entries;
}

}  // namespace statelib::library
