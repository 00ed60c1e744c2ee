// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/base/error.h"
#include "core/base/nearest_names.h"
#include "core/base/printable.h"
#include "statestore/library/transfer.h"
#include "statestore/remote/fetch.h"
#include "statestore/storage/state_object.h"

namespace statelib::library {

namespace {

/// NAME[:TAG][@N] with wildcards in name and tag.
struct VersionPattern {
  std::string name;
  std::string tag = storage::kDefaultTag;
  std::optional<uint64_t> number;

  static VersionPattern Parse(const std::string& text) {
    if (text.find_first_of("*?[") == std::string::npos) {
      const storage::Reference reference = storage::Reference::Parse(text);
      return {reference.name, reference.tag, reference.version};
    }
    const size_t colon = text.find(':');
    if (text.find('@') != std::string::npos) {
      Throw(ErrorKind::kInvalidArgument, "{}: a version of a pattern; give the whole name",
            Escaped(text));
    }
    return {text.substr(0, colon), colon == std::string::npos ? "*" : text.substr(colon + 1), {}};
  }

  bool Matches(const storage::RemoteVersion& version) const {
    return ::fnmatch(name.c_str(), version.name.c_str(), 0) == 0 &&
           ::fnmatch(tag.c_str(), version.tag.c_str(), 0) == 0 &&
           (!number || *number == version.number);
  }
};

[[noreturn]] void ThrowUnknown(const std::vector<storage::RemoteVersion>& versions,
                               const std::string& wanted, const std::string& location) {
  std::vector<std::string> names;
  for (const storage::RemoteVersion& version : versions) names.push_back(version.name);
  Throw(ErrorKind::kNotFound, "{}: there is no {}{}; `statelib ls-remote` shows what is there",
        location, Escaped(wanted), DidYouMean(wanted.substr(0, wanted.find_first_of(":@")), names));
}

/// What one pull brings.
class Puller {
 public:
  Puller(Library& library, remote::Remote& remote, KeyRing& keys, const PullOptions& options,
         const std::vector<storage::RemoteVersion>& there)
      : library_(library), remote_(remote), keys_(keys), options_(options), there_(there) {}

  PullReport Run(const std::vector<storage::RemoteVersion>& versions) {
    try {
      FetchAll(versions);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCancelled) throw;
      ThrowStopped(options_.dry_run ? 0 : report_.objects_fetched + report_.objects_present);
    }
    return std::move(report_);
  }

 private:
  void FetchAll(const std::vector<storage::RemoteVersion>& versions) {
    for (const storage::RemoteVersion& version : versions) {
      options_.control.Check();
      PulledVersion pulled{version, {}, {}, false, {}};
      if (const auto existing = Existing(version)) {
        pulled.reference = *existing;
        pulled.there_before = true;
        report_.versions.push_back(std::move(pulled));
        continue;
      }
      pulled.diverged_from = DivergedFrom(version.name, version.tag);
      pulled.reference = {version.name, version.tag, std::nullopt};
      if (pulled.diverged_from) pulled.reference.name = NameFor(version);
      report_.versions.push_back(std::move(pulled));
      Fetch(version, &report_.versions.back());
    }
  }

  const storage::IndexReferences& references() const {
    return library_.repository().index().references();
  }

  /// The version here that has this state already, under the name or, where that is here, beside
  /// it.
  std::optional<storage::Reference> Existing(const storage::RemoteVersion& version) const {
    storage::StateId here = version.state;
    for (const storage::HadState& state : references().HadBy(version.name, version.tag)) {
      if (state.there == version.state) here = state.here;
    }
    const auto found = FindVersion(version.name, version.tag, here);
    if (found || !references().Find(version.name, version.tag)) return found;
    return FindVersion(NameBeside(options_.remote_name, version.name), version.tag, here);
  }

  std::optional<storage::Reference> FindVersion(const std::string& name, const std::string& tag,
                                                const storage::StateId& state) const {
    for (const storage::VersionRow& row : references().Versions(name, tag)) {
      if (row.state == state) return storage::Reference{name, tag, row.number};
    }
    return {};
  }

  /// Whether the remote has had a state of this library under a name.
  bool IsThere(const std::string& name, const std::string& tag,
               const storage::StateId& state) const {
    if (remote::Has(there_, name, tag, state)) return true;
    const auto had = references().HadBy(name, tag);
    return std::any_of(had.begin(), had.end(), [&](const storage::HadState& one) {
      return one.here == state && remote::Has(there_, name, tag, one.there);
    });
  }

  /// What a name stands for here, where the remote has never had that; decided once for a name.
  std::optional<storage::Reference> DivergedFrom(const std::string& name, const std::string& tag) {
    const auto [place, fresh] = diverged_.try_emplace({name, tag});
    if (!fresh) return place->second;
    const auto current = references().FindVersion(name, tag, std::nullopt);
    if (current && !IsThere(name, tag, current->state))
      place->second = storage::Reference{name, tag, current->number};
    return place->second;
  }

  /// REMOTE/NAME. Errors: kInvalidArgument where that is something else here.
  std::string NameFor(const storage::RemoteVersion& version) const {
    const std::string name = NameBeside(options_.remote_name, version.name);
    const auto current = references().FindVersion(name, version.tag, std::nullopt);
    if (!current || IsThere(version.name, version.tag, current->state)) return name;
    Throw(ErrorKind::kInvalidArgument,
          "{} here is nothing that {} has had, and what is pulled would be kept beside it as {}, "
          "which is something else here; give that another name with `statelib mv`",
          storage::Reference{version.name, version.tag, {}}.Text(), remote_.location(),
          storage::Reference{name, version.tag, current->number}.Text());
  }

  /// The manifest of a version, which must be of just that version.
  storage::SignedManifest Manifest(const storage::RemoteVersion& version,
                                   storage::SourceRecord* origin) {
    const std::string location =
        fmt::format("{}: {}:{}@{}", remote_.location(), version.name, version.tag, version.number);
    const Bytes bytes = remote_.GetManifest(version);
    *origin = {remote_.location(), bytes.size(), HashOf(bytes), 0, library_.now_ms()};
    storage::SignedManifest manifest = storage::DecodeManifest(bytes, location);
    const auto& references = manifest.manifest.references;
    if (references.size() != 1 || references[0].name != version.name ||
        references[0].tag != version.tag || references[0].state != version.state) {
      Throw(ErrorKind::kCorrupt, "{}: its manifest is of something else", location);
    }
    return manifest;
  }

  void Fetch(const storage::RemoteVersion& version, PulledVersion* pulled) {
    storage::SourceRecord origin;
    storage::SignedManifest manifest = Manifest(version, &origin);
    const std::string location =
        fmt::format("{}: {}:{}", remote_.location(), version.name, version.tag);
    std::optional<PublicKey> signer;
    if (manifest.signature) signer = manifest.signature->signer;
    pulled->signer = JudgeSigner(keys_, signer, options_.policy);
    if (options_.dry_run) return Count(manifest.manifest);
    RequireAccepted(pulled->signer, location);
    storage::Repository& repository = library_.repository();
    const storage::Lease lease = repository.WriteLease();
    FetchObjects(manifest.manifest);
    remote::FetchedObjects source(repository, std::move(manifest.manifest), location);
    storage::Admission admission(repository, options_.max_state_bytes);
    storage::VerifyObjects(source, admission, {options_.control.cancel, {}});
    if (pulled->diverged_from && IsTheSame(source, version)) pulled->diverged_from.reset();
    storage::ImportOptions options;
    options.naming = storage::ImportNaming::kOnlyWhatIsNew;
    if (pulled->diverged_from) options.name_prefix = NameBeside(options_.remote_name, "");
    options.control.cancel = options_.control.cancel;
    ReserveName(library_, source.manifest(), options_.embedded, &options);
    const storage::ImportReport imported =
        storage::ImportObjects(repository, source, origin, options, library_.now_ms());
    pulled->reference = imported.references.front().reference;
    for (const storage::RenamedModel& model : imported.renamed_models)
      report_.renamed_models.push_back(model);
    pulled->there_before = imported.references.front().version_before;
    RememberSigner(keys_, pulled->signer, options_.policy);
  }

  /// Whether the name stands for an equal state here, which is only stored otherwise.
  bool IsTheSame(storage::ImportSource& source, const storage::RemoteVersion& version) const {
    const auto current = references().FindVersion(version.name, version.tag, std::nullopt);
    const auto& objects = source.manifest().objects;
    for (size_t i = 0; i < objects.size(); ++i) {
      if (objects[i].id != version.state) continue;
      const auto object = source.OpenObject(i);
      const storage::StateReader reader(*object, source.location());
      const auto equal = library_.repository().index().states().FindEqual(
          storage::RowOf(version.state, reader.header(), object->size(), library_.now_ms()));
      return current && equal && equal->id == current->state;
    }
    return false;
  }

  void FetchObjects(const storage::BundleManifest& manifest) {
    uint64_t total = 0;
    for (const auto& object : manifest.objects) total += object.size_bytes;
    uint64_t done = 0;
    for (const auto& object : manifest.objects) {
      options_.control.Check();
      const uint64_t bytes =
          remote::FetchObject(library_.repository(), remote_, object, options_.control);
      ++(bytes > 0 ? report_.objects_fetched : report_.objects_present);
      report_.bytes_fetched += bytes;
      options_.control.Report(done += object.size_bytes, total);
    }
  }

  void Count(const storage::BundleManifest& manifest) {
    for (const auto& object : manifest.objects) {
      if (!counted_.insert(object.id).second) continue;
      const bool here = library_.repository().objects().Exists(object.id);
      ++(here ? report_.objects_present : report_.objects_fetched);
      if (!here) report_.bytes_fetched += object.size_bytes;
    }
  }

  Library& library_;
  remote::Remote& remote_;
  KeyRing& keys_;
  const PullOptions& options_;
  const std::vector<storage::RemoteVersion>& there_;  // every version of the remote
  PullReport report_;
  std::map<std::pair<std::string, std::string>, std::optional<storage::Reference>> diverged_;
  std::set<storage::ObjectId> counted_;
};

}  // namespace

std::vector<storage::RemoteVersion> SelectVersions(
    const std::vector<storage::RemoteVersion>& versions, const Selection& selection,
    const std::string& location) {
  std::vector<VersionPattern> patterns;
  for (const std::string& name : selection.names) {
    patterns.push_back(VersionPattern::Parse(name));
    const bool found = std::any_of(versions.begin(), versions.end(), [&](const auto& version) {
      return patterns.back().Matches(version);
    });
    if (!found) ThrowUnknown(versions, name, location);
  }
  std::vector<storage::RemoteVersion> selected;
  for (size_t i = 0; i < versions.size(); ++i) {
    const storage::RemoteVersion& version = versions[i];
    const bool newest = i + 1 == versions.size() || versions[i + 1].name != version.name ||
                        versions[i + 1].tag != version.tag;
    const bool wanted = std::any_of(patterns.begin(), patterns.end(), [&](const auto& pattern) {
      return pattern.Matches(version) && (pattern.number || newest || selection.all_versions);
    });
    if (wanted || (patterns.empty() && (newest || selection.all_versions)))
      selected.push_back(version);
  }
  return selected;
}

std::string NameBeside(const std::string& remote_name, const std::string& name) {
  return remote_name + "/" + name;
}

bool IsKeptBeside(const Library& library, const std::string& remote_name,
                  const storage::ReferenceRow& row) {
  const std::string prefix = NameBeside(remote_name, "");
  if (!row.name.starts_with(prefix)) return false;
  const auto had =
      library.repository().index().references().HadBy(row.name.substr(prefix.size()), row.tag);
  return std::any_of(had.begin(), had.end(),
                     [&](const storage::HadState& state) { return state.here == row.state.id; });
}

PullReport Pull(Library& library, remote::Remote& remote, KeyRing& keys, const Selection& selection,
                const PullOptions& options) {
  const std::vector<storage::RemoteVersion> there = remote.List();
  return Puller(library, remote, keys, options, there)
      .Run(SelectVersions(there, selection, remote.location()));
}

}  // namespace statelib::library
