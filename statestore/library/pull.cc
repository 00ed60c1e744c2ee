// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "statestore/library/transfer.h"
#include "statestore/remote/fetch.h"

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
            storage::Escaped(text));
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
                               const std::string& wanted, const std::string& where) {
  const auto for_each = [&](const std::function<void(const std::string&)>& visit) {
    for (const storage::RemoteVersion& version : versions) visit(version.name);
  };
  std::vector<std::string> near =
      storage::NearestNames(wanted.substr(0, wanted.find_first_of(":@")), for_each);
  near.erase(std::unique(near.begin(), near.end()), near.end());
  Throw(ErrorKind::kNotFound, "{}: there is no {}{}; `statelib ls-remote` shows what is there",
        where, storage::Escaped(wanted),
        near.empty() ? "" : fmt::format("; did you mean {}?", fmt::join(near, " or ")));
}

/// What one pull brings.
class Puller {
 public:
  Puller(Library& library, remote::Remote& remote, KeyRing& keys, const PullOptions& options)
      : library_(library), remote_(remote), keys_(keys), options_(options) {}

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
      const storage::Reference reference{version.name, version.tag, std::nullopt};
      if (const auto number = Existing(version)) {
        report_.versions.push_back({version, {}, reference, true});
        report_.versions.back().reference.version = *number;
        continue;
      }
      report_.versions.push_back({version, {}, reference, false});
      Fetch(version, &report_.versions.back());
    }
  }

  /// The version here that has this state already.
  std::optional<uint64_t> Existing(const storage::RemoteVersion& version) const {
    const storage::IndexReferences& references = library_.repository().index().references();
    for (const storage::VersionRow& row : references.Versions(version.name, version.tag)) {
      if (row.state == version.state) return row.number;
    }
    return {};
  }

  /// The manifest of a version, which must be of just that version.
  storage::SignedManifest Manifest(const storage::RemoteVersion& version,
                                   storage::SourceRecord* origin) {
    const std::string where =
        fmt::format("{}: {}:{}@{}", remote_.where(), version.name, version.tag, version.number);
    const Bytes bytes = remote_.GetManifest(version);
    *origin = {remote_.where(), bytes.size(), HashOf(bytes), 0, library_.now_ms()};
    storage::SignedManifest manifest = storage::DecodeManifest(bytes, where);
    const auto& references = manifest.manifest.references;
    if (references.size() != 1 || references[0].name != version.name ||
        references[0].tag != version.tag || references[0].state != version.state) {
      Throw(ErrorKind::kCorrupt, "{}: its manifest is of something else", where);
    }
    return manifest;
  }

  void Fetch(const storage::RemoteVersion& version, PulledVersion* pulled) {
    storage::SourceRecord origin;
    storage::SignedManifest manifest = Manifest(version, &origin);
    const std::string where = fmt::format("{}: {}:{}", remote_.where(), version.name, version.tag);
    std::optional<PublicKey> signer;
    if (manifest.signature) signer = manifest.signature->signer;
    pulled->signer = JudgeSigner(keys_, signer, options_.policy);
    if (options_.dry_run) return Count(manifest.manifest);
    RequireAccepted(pulled->signer, where);
    storage::Repository& repository = library_.repository();
    const storage::Lease lease = repository.WriteLease();
    FetchObjects(manifest.manifest);
    remote::FetchedObjects source(repository, std::move(manifest.manifest), where);
    storage::Admission admission(repository, options_.max_state_bytes);
    storage::VerifyObjects(source, admission, {options_.control.cancel, {}});
    storage::ImportOptions options;
    options.naming = storage::ImportNaming::kOnlyWhatIsNew;
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
  PullReport report_;
  std::set<storage::ObjectId> counted_;
};

}  // namespace

std::vector<storage::RemoteVersion> SelectVersions(
    const std::vector<storage::RemoteVersion>& versions, const Selection& selection,
    const std::string& where) {
  std::vector<VersionPattern> patterns;
  for (const std::string& name : selection.names) {
    patterns.push_back(VersionPattern::Parse(name));
    const bool found = std::any_of(versions.begin(), versions.end(), [&](const auto& version) {
      return patterns.back().Matches(version);
    });
    if (!found) ThrowUnknown(versions, name, where);
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

PullReport Pull(Library& library, remote::Remote& remote, KeyRing& keys, const Selection& selection,
                const PullOptions& options) {
  const std::vector<storage::RemoteVersion> versions =
      SelectVersions(remote.List(), selection, remote.where());
  return Puller(library, remote, keys, options).Run(versions);
}

}  // namespace statelib::library
