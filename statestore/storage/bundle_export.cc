// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "core/base/error.h"
#include "statestore/storage/bundle.h"
#include "statestore/storage/container.h"

namespace statelib::storage {

namespace {

/// Collects what the exported states need, each thing once and in a fixed order.
class Manifest {
 public:
  explicit Manifest(const Repository& repository) : repository_(repository) {}

  void Add(const ResolvedState& state) {
    if (!state.reference || !state.derivation) {
      Throw(ErrorKind::kInvalidArgument,
            "the state {} has no name here, and a bundle carries names; give it one with `statelib "
            "tag` first",
            state.state.id.ShortHex());
    }
    AddModel(state.state.model);
    for (const TokenChunk& chunk : repository_.index().states().ChunksOf(state.state.id))
      AddObject(chunk.id, &tokens_);
    AddObject(state.state.id, &states_);
    const size_t derivation = AddLineage(*state.derivation);
    const Reference& reference = *state.reference;
    for (const BundleManifest::Reference& other : manifest_.references) {
      if (other.name == reference.name && other.tag == reference.tag) {
        if (other.state == state.state.id) return;
        Throw(ErrorKind::kInvalidArgument,
              "{}:{} is to be exported in two versions; a bundle carries one of each name",
              reference.name, reference.tag);
      }
    }
    manifest_.references.push_back({reference.name, reference.tag, state.state.id, derivation});
  }

  BundleManifest Finish() {
    for (auto& [fingerprint, model] : models_) manifest_.models.push_back(std::move(model));
    manifest_.objects = std::move(tokens_);
    manifest_.objects.insert(manifest_.objects.end(), states_.begin(), states_.end());
    std::sort(manifest_.references.begin(), manifest_.references.end(),
              [](const auto& a, const auto& b) {
                return std::tie(a.name, a.tag) < std::tie(b.name, b.tag);
              });
    return std::move(manifest_);
  }

 private:
  void AddModel(const Digest& fingerprint) {
    const auto row = repository_.index().models().Find(fingerprint);
    if (row) models_[fingerprint] = {row->identity, row->name};
  }

  void AddObject(const ObjectId& id, std::vector<BundleManifest::Object>* list) {
    if (objects_.insert(id).second) list->push_back({id, repository_.objects().StoredBytes(id)});
  }

  size_t AddLineage(int64_t key) {
    const auto limit = std::numeric_limits<size_t>::max();
    std::vector<int64_t> keys = {key};
    std::vector<Derivation> line = repository_.index().lineage().AncestorsOf(key, limit);
    for (size_t i = 0; i + 1 < line.size(); ++i) keys.push_back(*line[i].parent);
    std::optional<int64_t> parent;
    for (size_t i = line.size(); i-- > 0;) {  // parents first
      auto [place, fresh] = derivations_.emplace(keys[i], manifest_.derivations.size());
      if (fresh) {
        line[i].parent = parent;
        manifest_.derivations.push_back(std::move(line[i]));
      }
      parent = static_cast<int64_t>(place->second);
    }
    return static_cast<size_t>(*parent);
  }

  const Repository& repository_;
  BundleManifest manifest_;
  std::map<Digest, BundleManifest::Model> models_;
  std::set<ObjectId> objects_;
  std::vector<BundleManifest::Object> tokens_;
  std::vector<BundleManifest::Object> states_;
  std::map<int64_t, size_t> derivations_;  // key -> place in the manifest
};

/// Appends to a file and to the hash over it.
class HashedFile {
 public:
  explicit HashedFile(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}

  void Append(ByteSpan bytes) {
    file_->Append(bytes);
    hasher_.Update(bytes);
    size_ += bytes.size();
  }

  uint64_t Finish() {
    const Digest digest = hasher_.Finish();
    file_->Append(digest.bytes);
    file_->Sync();
    file_->Close();
    return size_ + digest.bytes.size();
  }

 private:
  std::unique_ptr<WritableFile> file_;
  Hasher hasher_;
  uint64_t size_ = 0;
};

uint64_t WriteFile(const Repository& repository, const BundleManifest& manifest, FileSystem& files,
                   const std::filesystem::path& path, const CancelFlag* cancel) {
  const std::string message = SerializeManifest(manifest);
  if (message.size() > kManifestBytesMax) {
    Throw(ErrorKind::kInvalidArgument, "a bundle of {} states is too large; export fewer at once",
          manifest.references.size());
  }
  HashedFile file(files.Create(path));
  file.Append(MakeHead(kBundleFile, AsBytes(message)));
  for (const BundleManifest::Object& object : manifest.objects) {
    if (cancel != nullptr) cancel->Check();
    file.Append(repository.objects().Get(object.id));
  }
  return file.Finish();
}

}  // namespace

ExportReport ExportBundle(const Repository& repository, std::span<const ResolvedState> states,
                          FileSystem& files, const std::filesystem::path& path,
                          const CancelFlag* cancel) {
  if (states.empty()) Throw(ErrorKind::kInvalidArgument, "there is nothing to export");
  const FileLock lease = repository.ReadLease();
  Manifest collected(repository);
  for (const ResolvedState& state : states) collected.Add(state);
  const BundleManifest manifest = collected.Finish();
  ExportReport report;
  report.objects = manifest.objects.size();
  std::set<StateId> distinct;
  for (const BundleManifest::Reference& reference : manifest.references)
    distinct.insert(reference.state);
  report.states = distinct.size();

  const std::filesystem::path temporary = path.string() + fmt::format(".{}.part", ::getpid());
  try {
    report.file_bytes = WriteFile(repository, manifest, files, temporary, cancel);
    files.Rename(temporary, path);
  } catch (...) {
    try {
      files.Remove(temporary);
    } catch (const Error&) {
      // It may never have been created; the first error is the one to report.
    }
    throw;
  }
  files.SyncDirectory(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
  return report;
}

}  // namespace statelib::storage
