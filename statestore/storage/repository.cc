// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/repository.h"

#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/error.h"

namespace statelib::storage {

namespace {

using Path = std::filesystem::path;

using Mode = FileLock::Mode;

constexpr std::chrono::milliseconds kLeasePatience{600'000};
constexpr size_t kIdDigitsMin = 6;
constexpr const char* kFolders[] = {"objects", "tmp", "locks"};

Path IndexPath(const Path& library) { return library / "index.db"; }
Path GatePath(const Path& library) { return library / "locks" / "gate.lock"; }
Path LockPath(const Path& library) { return library / "locks" / "objects.lock"; }

bool IsOurs(const Path& name) {
  return name.string().starts_with("index.db") ||
         std::find(std::begin(kFolders), std::end(kFolders), name) != std::end(kFolders);
}

/// A folder may become a library when it is not there, is empty, or holds what a creation that was
/// cut off had made.
void CheckMayBecomeLibrary(FileSystem& files, const Path& path) {
  if (files.Exists(path) && !std::filesystem::is_directory(path)) {
    Throw(ErrorKind::kInvalidArgument, "{}: expected the folder of a library, found a file",
          path.string());
  }
  for (const Path& name : files.List(path)) {
    if (IsOurs(name)) continue;
    Throw(ErrorKind::kInvalidArgument,
          "{}: not a statelib library: it holds {} and no index.db; choose an empty folder",
          path.string(), Escaped(name.string()));
  }
}

void Create(FileSystem& files, const Path& path) {
  CheckMayBecomeLibrary(files, path);
  for (const char* folder : kFolders) files.CreateDirectories(path / folder);
  files.SyncDirectory(path);
}

/// errno of the first thing that keeps this process from writing; 0 when nothing does.
int WriteObstacle(const Path& path) {
  for (const Path& place : {path, IndexPath(path), path / "objects", path / "tmp"}) {
    if (::access(place.c_str(), W_OK) != 0 && errno != ENOENT) return errno;
  }
  return 0;
}

Index OpenForReading(const Path& path) {
  try {
    return Index::Open(IndexPath(path), Database::Mode::kRead);
  } catch (const Error& error) {
    // SQLite reads a WAL file's database only with a shared-memory file, which it cannot make
    // here. Without unfinished business in a WAL the file is whole by itself.
    std::error_code none;
    const uint64_t wal = std::filesystem::file_size(IndexPath(path).string() + "-wal", none);
    if (error.kind() != ErrorKind::kIo || (!none && wal > 0)) throw;
  }
  return Index::Open(IndexPath(path), Database::Mode::kFrozen);
}

bool IsIdPrefix(std::string_view text) {
  return text.size() >= kIdDigitsMin && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

Repository Repository::Open(const Path& path, Access access, FileSystem& files) {
  if (!files.Exists(IndexPath(path))) {
    if (access != Access::kCreate) {
      if (files.Exists(path)) CheckMayBecomeLibrary(files, path);
      Throw(ErrorKind::kNotFound,
            "{}: there is no library; `statelib ingest` makes one, --library names another",
            path.string());
    }
    Create(files, path);
  }
  const int obstacle = WriteObstacle(path);
  if (obstacle != 0 && access != Access::kRead)
    ThrowErrno("cannot write to the library", path.string(), obstacle);
  if (obstacle != 0) return Repository(path, false, files, OpenForReading(path));
  return Repository(path, true, files, Index::Open(IndexPath(path), Database::Mode::kWrite));
}

Repository::Repository(Path path, bool writable, FileSystem& files, Index index)
    : path_(std::move(path)),
      writable_(writable),
      index_(std::make_unique<Index>(std::move(index))),
      objects_(std::make_unique<ObjectStore>(files, path_ / "objects", path_ / "tmp")) {}

Lease Repository::WriteLease() const {
  if (Lease held = held_.lock()) return held;
  const FileLock gate = FileLock::Acquire(GatePath(path_), Mode::kShared, kLeasePatience);
  auto lease = std::make_shared<const FileLock>(
      FileLock::Acquire(LockPath(path_), Mode::kShared, kLeasePatience));
  held_ = lease;
  return lease;
}

Lease Repository::ReadLease() const {
  if (writable_) return WriteLease();
  if (Lease held = held_.lock()) return held;
  const FileLock gate = FileLock::AcquireForReading(GatePath(path_), kLeasePatience);
  auto lease = std::make_shared<const FileLock>(
      FileLock::AcquireForReading(LockPath(path_), kLeasePatience));
  held_ = lease;
  return lease;
}

Lease Repository::GcLease() const {
  // Whoever comes now waits at the gate, so that those inside become fewer.
  const FileLock gate = FileLock::Acquire(GatePath(path_), Mode::kExclusive, kLeasePatience);
  return std::make_shared<const FileLock>(
      FileLock::Acquire(LockPath(path_), Mode::kExclusive, kLeasePatience));
}

bool Repository::IsSound(const StateRow& state) const {
  return objects_->IsSound(state.id) && (!state.base || objects_->IsSound(*state.base));
}

Lease Repository::TryGcLease() const {
  try {
    return std::make_shared<const FileLock>(
        FileLock::Acquire(LockPath(path_), Mode::kExclusive, {}));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kBusy) throw;
  }
  return nullptr;
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
    found = {*index_->states().Find(version->state), exact, version->derivation};
  });
  return *found;
}

void Repository::ThrowUnknown(const Reference& reference) const {
  const IndexReferences& references = index_->references();
  const std::vector<VersionRow> versions = references.Versions(reference.name, reference.tag);
  if (!versions.empty()) {
    Throw(ErrorKind::kNotFound, "{} has no version {}: its versions are {} to {}", reference.name,
          reference.version.value_or(0), versions.front().number, versions.back().number);
  }
  std::vector<std::string> near;
  ReferenceQuery query;
  query.name_pattern = reference.name;
  query.limit = 5;
  for (const ReferenceRow& row : references.List(query)) near.push_back(row.name + ":" + row.tag);
  if (near.empty()) {
    near = NearestNames(reference.name, [&](const auto& visit) { references.ForEachName(visit); });
  }
  const std::string wanted = Reference{reference.name, reference.tag, {}}.Text();
  if (near.empty()) {
    Throw(ErrorKind::kNotFound, "there is no state named {}; `statelib list` shows those there are",
          wanted);
  }
  Throw(ErrorKind::kNotFound, "there is no state named {}; did you mean {}?", wanted,
        fmt::join(near, " or "));
}

}  // namespace statelib::storage
