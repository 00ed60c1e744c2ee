// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/repository.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/nearest_names.h"

namespace statelib::storage {

namespace {

using Path = std::filesystem::path;

using Mode = FileLock::Mode;

constexpr size_t kIdDigitsMin = 6;
constexpr size_t kTagsShown = 5;

bool IsIdPrefix(std::string_view text) {
  return text.size() >= kIdDigitsMin && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

bool Repository::IsAt(const Path& path, FileSystem& files) {
  const LibraryPlaces places(path);
  return files.Exists(places.index) || files.Exists(places.unfinished_repair) ||
         HoldsAnything(files, places);
}

Repository Repository::Open(const Path& path, Access access, FileSystem& files,
                            const Waits& waits) {
  const LibraryPlaces places(path);
  for (bool made = false;; made = true) {
    auto opened = OpenIndexOf(files, places, access != Access::kRead, waits);
    if (opened) return Repository(places, files, waits, std::move(*opened));
    if (access != Access::kCreate || made) break;
    MakeLibrary(files, places, Sharing::kPrivate, waits);
  }
  Throw(ErrorKind::kNotFound,
        "{}: there is no library; `statelib ingest` makes one, --library names another",
        path.string());
}

Repository Repository::Init(const Path& path, Sharing sharing, FileSystem& files) {
  if (IsAt(path, files))
    Throw(ErrorKind::kInvalidArgument, "{}: there is a library already", path.string());
  MakeLibrary(files, LibraryPlaces(path), sharing);
  return Open(path, Access::kWrite, files);
}

Repository::Repository(LibraryPlaces places, FileSystem& files, const Waits& waits,
                       OpenedIndex opened)
    : places_(std::move(places)),
      index_lock_(std::move(opened.lock)),
      identity_(opened.identity),
      writable_(opened.writable),
      waits_(waits),
      files_(std::make_unique<LibraryFiles>(files, places_.folder)),
      index_(std::make_unique<Index>(std::move(opened.index))),
      objects_(std::make_unique<ObjectStore>(*files_, places_.objects, places_.temporaries)) {
  if (writable_) index_->KeepRecords(identity_, records());
}

ChangeLog Repository::records() const { return {*files_, places_.records}; }

Lease Repository::WriteLease() const {
  if (Lease held = held_.lock()) return held;
  const FileLock gate = FileLock::Acquire(places_.gate_lock, Mode::kShared, waits_);
  auto lease = std::make_shared<const FileLock>(
      FileLock::Acquire(places_.objects_lock, Mode::kShared, waits_));
  held_ = lease;
  return lease;
}

Lease Repository::ReadLease() const {
  if (writable_) return WriteLease();
  if (Lease held = held_.lock()) return held;
  const FileLock gate = FileLock::AcquireForReading(places_.gate_lock, waits_);
  auto lease =
      std::make_shared<const FileLock>(FileLock::AcquireForReading(places_.objects_lock, waits_));
  held_ = lease;
  return lease;
}

Lease Repository::GcLease() const {
  // A newcomer waits at the gate, so that those inside become fewer.
  const FileLock gate = FileLock::Acquire(places_.gate_lock, Mode::kExclusive, waits_);
  return std::make_shared<const FileLock>(
      FileLock::Acquire(places_.objects_lock, Mode::kExclusive, waits_));
}

bool Repository::IsSound(const StateRow& state) const {
  return objects_->IsSound(state.id) && (!state.base || objects_->IsSound(*state.base));
}

Lease Repository::TryGcLease() const {
  std::optional<FileLock> lock = FileLock::TryAcquire(places_.objects_lock, Mode::kExclusive);
  return lock ? std::make_shared<const FileLock>(std::move(*lock)) : nullptr;
}

namespace {

/// Cuts "@{MOMENT}" off a reference and returns the moment's text; empty when there is none.
std::string TakeMoment(std::string* text) {
  const size_t begin = text->find("@{");
  if (begin == std::string::npos || text->back() != '}') return "";
  const std::string moment = text->substr(begin + 2, text->size() - begin - 3);
  text->resize(begin);
  return moment;
}

}  // namespace

ResolvedState Repository::ResolveAt(const Reference& reference, int64_t moment_ms) const {
  Reference exact = reference;
  exact.version = index_->references().VersionAt(reference.name, reference.tag, moment_ms);
  if (exact.version) return Resolve(exact);
  const std::vector<VersionRow> versions =
      index_->references().Versions(reference.name, reference.tag);
  if (versions.empty()) ThrowUnknown(reference);
  Throw(ErrorKind::kNotFound, "there was no {} at {}: its first version is of {}", reference.Text(),
        MomentText(moment_ms), MomentText(versions.front().created_at_ms));
}

ResolvedState Repository::Resolve(const std::string& text, int64_t now_ms) const {
  std::string name = text;
  if (const std::string moment = TakeMoment(&name); name != text)
    return ResolveAt(Reference::Parse(name), ParseMoment(moment, now_ms));
  const Reference reference = Reference::Parse(text);
  const bool may_be_id = IsIdPrefix(text);
  if (!may_be_id || index_->references().Find(reference.name, reference.tag))
    return Resolve(reference);
  const std::vector<StateRow> rows = index_->states().FindByPrefix(text, 3);
  if (rows.empty()) ThrowUnknown(reference);
  if (rows.size() > 1) {
    std::vector<std::string> ids;
    for (const StateRow& row : rows) ids.push_back(row.id.Hex().substr(0, text.size() + 6));
    Throw(ErrorKind::kInvalidArgument, "{} begins the ids of several states ({}); give more digits",
          text, fmt::join(ids, ", "));
  }
  return {rows[0], std::nullopt, std::nullopt};
}

ResolvedState Repository::Resolve(const Reference& reference) const {
  std::optional<ResolvedState> found;
  index_->Read([&] {
    const auto version =
        index_->references().FindVersion(reference.name, reference.tag, reference.version);
    if (!version) ThrowUnknown(reference);
    Reference exact = reference;
    exact.version = version->number;
    found = {index_->states().Get(version->state), exact, version->derivation};
  });
  return *found;
}

void Repository::ThrowUnknown(const Reference& reference) const {
  const IndexReferences& references = index_->references();
  const std::vector<VersionRow> versions = references.Versions(reference.name, reference.tag);
  if (!versions.empty() && !reference.version)
    ThrowDamagedIndex(places_.index, "the current version of " + reference.Text() + " is missing");
  if (!versions.empty()) {
    Throw(ErrorKind::kNotFound, "{} has no version {}: its versions are {} to {}", reference.name,
          *reference.version, versions.front().number, versions.back().number);
  }
  const std::string wanted = Reference{reference.name, reference.tag, {}}.Text();
  std::vector<std::string> names;  // of the same name with another tag, else of another name
  ReferenceQuery query;
  query.name_pattern = reference.name;
  for (const ReferenceRow& row : references.List(query)) names.push_back(row.name + ":" + row.tag);
  const bool has_tags = !names.empty();
  if (!has_tags) references.ForEachName([&](const std::string& name) { names.push_back(name); });
  std::string hint = DidYouMean(has_tags ? wanted : reference.name, names);
  if (hint.empty() && has_tags) {
    names.resize(std::min<size_t>(names.size(), kTagsShown));
    hint = fmt::format("; did you mean {}?", fmt::join(names, " or "));
  }
  if (hint.empty()) hint = "; `statelib list` shows those there are";
  Throw(ErrorKind::kNotFound, "there is no state named {}{}", wanted, hint);
}

}  // namespace statelib::storage
