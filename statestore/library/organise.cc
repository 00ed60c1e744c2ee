// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/organise.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>

#include "core/base/disk_full.h"
#include "core/base/error.h"
#include "statestore/library/selection.h"
#include "statestore/storage/publish.h"
#include "statestore/storage/reserve.h"

namespace statelib::library {

namespace {

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
  return removed;
}

/// Removes references within Index::Write and tells what that frees.
std::vector<RemovedReference> RemoveAndForecast(Library& library,
                                                const std::vector<storage::Reference>& references) {
  std::vector<RemovedReference> removed;
  storage::Repository& repository = library.repository();
  storage::GarbageForecast before = storage::ForecastGarbage(repository, library.now_ms());
  for (const storage::Reference& reference : references) {
    removed.push_back(RemoveOne(library, reference));
    storage::GarbageForecast now = storage::ForecastGarbage(repository, library.now_ms());
    TellFreed(before, now, &removed.back());
    before = std::move(now);
  }
  return removed;
}

}  // namespace

void RefuseVersion(const storage::Reference& reference) {
  if (!reference.version) return;
  Throw(ErrorKind::kInvalidArgument,
        "{}: this acts on the whole reference with all its versions; leave out '@{}'",
        reference.Text(), *reference.version);
}

void TellFreed(const storage::GarbageForecast& before, const storage::GarbageForecast& now,
               Freed* freed) {
  std::set_difference(now.states.begin(), now.states.end(), before.states.begin(),
                      before.states.end(), std::back_inserter(freed->freed_states));
  for (const auto& [id, bytes] : now.objects) {
    if (before.objects.contains(id)) continue;
    ++freed->freed_objects;
    freed->freed_bytes += bytes;
  }
}

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

std::vector<TaggedState> SetTag(Library& library, const std::vector<std::string>& texts,
                                const std::string& tag) {
  std::vector<TaggedState> tagged;
  const storage::Lease lease = library.repository().WriteLease();
  library.repository().index().Write([&] {
    tagged.clear();
    std::vector<std::string> names;
    for (const std::string& text : texts) {
      if (!IsPattern(text)) {
        names.push_back(text);
        continue;
      }
      for (const storage::Reference& reference : Select(library, {text}, Tags::kLatest))
        if (reference.tag != tag) names.push_back(reference.Text());
    }
    std::map<std::string, std::string> sources;  // by name
    for (const std::string& name : names) {
      const std::optional<storage::Reference> from = library.Resolve(name).reference;
      if (!from) Throw(ErrorKind::kInvalidArgument, "{} is a state's id; cp gives it a name", name);
      const auto [before, is_new] = sources.emplace(from->name, from->Text());
      if (!is_new && before->second == from->Text()) continue;
      if (!is_new)
        Throw(ErrorKind::kInvalidArgument, "{} and {} cannot both be {}:{}; name one of them",
              before->second, from->Text(), from->name, tag);
      tagged.push_back({*from, Copy(library, name, {from->name, tag, {}})});
    }
  });
  return tagged;
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
  // The forecast is rehearsed apart, for a disk that is full has room for the removal alone.
  std::vector<RemovedReference> forecast;
  storage::Repository& repository = library.repository();
  try {
    repository.index().Rehearse([&] { forecast = RemoveAndForecast(library, references); });
  } catch (const DiskFull&) {
    if (dry_run) throw;
  }
  if (dry_run) return forecast;
  storage::WriteFreeingSpace(repository, [&] {
    removed.clear();
    for (const storage::Reference& reference : references)
      removed.push_back(RemoveOne(library, reference));
  });
  for (size_t i = 0; i < forecast.size(); ++i) {
    removed[i].freed_states = std::move(forecast[i].freed_states);
    removed[i].freed_objects = forecast[i].freed_objects;
    removed[i].freed_bytes = forecast[i].freed_bytes;
  }
  return removed;
}

}  // namespace statelib::library
