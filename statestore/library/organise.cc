// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/organise.h"

#include <algorithm>
#include <chrono>

#include "core/base/error.h"
#include "statestore/storage/publish.h"
#include "statestore/storage/reserve.h"

namespace statelib::library {

namespace {

/// Thrown to undo what a dry run did to the index.
struct DryRun {};

void RefuseVersion(const storage::Reference& reference) {
  if (!reference.version) return;
  Throw(ErrorKind::kInvalidArgument,
        "{}: this acts on the whole reference with all its versions; leave out '@{}'",
        reference.Text(), *reference.version);
}

RemovedReference RemoveOne(Library& library, const storage::Reference& reference) {
  storage::IndexReferences& references = library.repository().index().references();
  const auto versions = references.Versions(reference.name, reference.tag);
  if (versions.empty()) library.repository().ThrowUnknown(reference);
  RemovedReference removed;
  removed.name = reference.name;
  removed.tag = reference.tag;
  removed.versions = versions.size();
  for (const storage::VersionRow& version : versions) {
    if (version.current) removed.state = version.state;
  }
  references.Remove(reference.name, reference.tag, library.now_ms());
  std::vector<storage::StateId> states;
  for (const storage::VersionRow& version : versions) states.push_back(version.state);
  std::sort(states.begin(), states.end());
  states.erase(std::unique(states.begin(), states.end()), states.end());
  for (const storage::StateId& state : states) {
    if (!references.NamesOf(state).empty()) continue;
    removed.orphaned.push_back(state);
    const auto row = library.repository().index().states().Find(state);
    if (row) removed.orphaned_stored_bytes += row->stored_bytes;
  }
  return removed;
}

}  // namespace

SavedState Copy(Library& library, const std::string& from, const storage::Reference& to) {
  storage::CheckName(to.name);
  storage::CheckTag(to.tag);
  const auto start = std::chrono::steady_clock::now();
  const storage::Lease lease = library.repository().WriteLease();
  storage::PublishedState published;
  library.repository().index().Write([&] {
    const storage::ResolvedState source = library.Resolve(from);
    storage::Derivation derivation;
    derivation.operation = storage::Operation::kCopy;
    derivation.parent_state = source.state.id;
    derivation.parent = source.derivation;
    published = storage::NameState(library.repository().index(), source.state, derivation, to,
                                   library.now_ms());
  });
  SavedState saved{to, published.state, true, published.version_before, 0};
  saved.reference.version = published.version;
  saved.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return saved;
}

void Move(Library& library, const storage::Reference& from, const storage::Reference& to) {
  RefuseVersion(from);
  RefuseVersion(to);
  storage::CheckName(to.name);
  storage::CheckTag(to.tag);
  storage::Repository& repository = library.repository();
  repository.index().Write([&] {
    if (!repository.index().references().Find(from.name, from.tag)) repository.ThrowUnknown(from);
    repository.index().references().Rename(from.name, from.tag, to.name, to.tag, library.now_ms());
  });
}

std::vector<RemovedReference> Remove(Library& library,
                                     const std::vector<storage::Reference>& references,
                                     bool dry_run) {
  for (const storage::Reference& reference : references) RefuseVersion(reference);
  std::vector<RemovedReference> removed;
  try {
    storage::WriteFreeingSpace(library.repository(), [&] {
      removed.clear();
      for (const storage::Reference& reference : references)
        removed.push_back(RemoveOne(library, reference));
      if (dry_run) throw DryRun();
    });
  } catch (const DryRun&) {
    // What was removed above is there again.
  }
  return removed;
}

}  // namespace statelib::library
