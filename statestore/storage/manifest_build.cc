// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>
#include <set>
#include <tuple>

#include "core/base/error.h"
#include "statestore/storage/file_head.h"
#include "statestore/storage/manifest.h"
#include "statestore/storage/state_object.h"

namespace statelib::storage {

namespace {

/// The same state without what it has read: another header before the same frames. A base leaves
/// without it too.
std::unique_ptr<const ByteSource> WithoutTokens(const ObjectStore& objects, const StateId& id,
                                                bool is_base = false) {
  auto file = objects.Open(id);
  const std::string location = objects.PathOf(id).string();
  StateHeader header = StateReader(*file, location, FileHash::kChecked).header();
  header.description.tokens_kept = false;
  header.description.chunks.clear();
  if (header.base) {
    if (is_base) Throw(ErrorKind::kCorrupt, "{}: expected a whole state, found a delta", location);
    header.base = HashOf(*WithoutTokens(objects, *header.base, true));
  }
  Bytes buffer;
  const size_t frames = ReadHead(kObjectFile, *file, location, &buffer).size();
  return std::make_unique<HeadedSource>(
      MakeHead(kObjectFile, ObjectVersionOf(header), AsBytes(SerializeHeader(header))),
      std::move(file), frames);
}

}  // namespace

/// Collects what the states need, each thing once and in a fixed order.
class ManifestBuilder {
 public:
  ManifestBuilder(const Repository& repository, const ManifestOptions& options)
      : repository_(repository), options_(options), result_(repository) {}

  void Add(const ResolvedState& state) {
    if (!state.reference || !state.derivation) {
      Throw(ErrorKind::kInvalidArgument,
            "the state {} has no name here, and a bundle carries names; give it one with `statelib "
            "tag` first",
            state.state.id.ShortHex());
    }
    const Reference& reference = *state.reference;
    if (!named_.emplace(reference.name, reference.tag, *reference.version).second) return;
    CheckNamed(state);
    AddModel(state.state.model);
    const StateId id = AddState(state.state);
    const size_t derivation = AddLineage(*state.derivation);
    manifest().references.push_back(
        {reference.name, reference.tag, id, derivation, *reference.version});
  }

  OutgoingManifest Finish() {
    for (auto& [fingerprint, model] : models_) manifest().models.push_back(std::move(model));
    manifest().objects = std::move(tokens_);
    manifest().objects.insert(manifest().objects.end(), states_.begin(), states_.end());
    for (Derivation& derivation : manifest().derivations) {
      derivation.state = Outgoing(derivation.state);
      if (derivation.parent_state) derivation.parent_state = Outgoing(*derivation.parent_state);
    }
    std::sort(manifest().references.begin(), manifest().references.end(),
              [](const auto& a, const auto& b) {
                return std::tie(a.name, a.tag, a.version) < std::tie(b.name, b.tag, b.version);
              });
    return std::move(result_);
  }

 private:
  BundleManifest& manifest() { return result_.manifest_; }

  /// The id under which a state leaves.
  StateId Outgoing(const StateId& id) const {
    const auto place = stripped_.find(id);
    return place == stripped_.end() ? id : place->second;
  }

  /// What leaves is what others take: a name that is one, with the making of this very state.
  void CheckNamed(const ResolvedState& state) const {
    const std::filesystem::path& index = repository_.places().index;
    try {
      CheckName(state.reference->name);
      CheckTag(state.reference->tag);
    } catch (const Error& error) {
      ThrowDamagedIndex(index, error.what());
    }
    if (repository_.index().lineage().Get(*state.derivation).state != state.state.id)
      ThrowDamagedIndex(index, "the version " + state.reference->Text() + " points elsewhere");
  }

  void AddModel(const Digest& fingerprint) {
    const auto row = repository_.index().models().Find(fingerprint);
    if (row) models_[fingerprint] = {row->identity, row->name, Over(row->prompt, row->card)};
  }

  StateId AddState(const StateRow& state) {
    if (state.base) {
      const StateRow base = repository_.index().states().Get(*state.base);
      if (base.base) {
        ThrowDamagedIndex(repository_.places().index,
                          "the base of the state " + state.id.ShortHex() + " is a delta itself");
      }
      AddState(base);
    }
    if (options_.tokens || !state.tokens_kept) {
      for (const TokenChunk& chunk : repository_.index().states().ChunksOf(state.id))
        AddObject(chunk.id, repository_.objects().StoredBytes(chunk.id), &tokens_);
      AddObject(state.id, repository_.objects().StoredBytes(state.id), &states_);
      return state.id;
    }
    const auto [place, fresh] = stripped_.try_emplace(state.id);
    if (fresh) {
      const auto object = WithoutTokens(repository_.objects(), state.id);
      place->second = HashOf(*object);
      result_.stored_as_[place->second] = state.id;
      AddObject(place->second, object->size(), &states_);
    }
    return place->second;
  }

  void AddObject(const ObjectId& id, uint64_t size_bytes,
                 std::vector<BundleManifest::Object>* list) {
    if (objects_.insert(id).second) list->push_back({id, size_bytes});
  }

  size_t AddLineage(int64_t key) {
    const size_t limit = options_.lineage ? std::numeric_limits<size_t>::max() : 1;
    std::vector<int64_t> keys = {key};
    std::vector<Derivation> line = repository_.index().lineage().AncestorsOf(key, limit);
    for (size_t i = 0; i + 1 < line.size(); ++i) keys.push_back(*line[i].parent);
    std::optional<int64_t> parent;
    for (size_t i = line.size(); i-- > 0;) {  // parents first
      auto [place, fresh] = derivations_.emplace(keys[i], manifest().derivations.size());
      if (fresh) {
        line[i].parent = parent;
        if (!options_.lineage) line[i].parent_state.reset();
        if (!options_.sources) line[i].sources.clear();
        manifest().derivations.push_back(std::move(line[i]));
      }
      parent = static_cast<int64_t>(place->second);
    }
    return static_cast<size_t>(*parent);
  }

  const Repository& repository_;
  const ManifestOptions& options_;
  OutgoingManifest result_;
  std::set<std::tuple<std::string, std::string, uint64_t>> named_;
  std::map<Digest, BundleManifest::Model> models_;
  std::set<ObjectId> objects_;
  std::vector<BundleManifest::Object> tokens_;
  std::vector<BundleManifest::Object> states_;
  std::map<StateId, StateId> stripped_;    // a stored state -> the same without its tokens
  std::map<int64_t, size_t> derivations_;  // key -> place in the manifest
};

OutgoingManifest OutgoingManifest::Build(const Repository& repository,
                                         std::span<const ResolvedState> states,
                                         const ManifestOptions& options) {
  ManifestBuilder builder(repository, options);
  for (const ResolvedState& state : states) builder.Add(state);
  return builder.Finish();
}

std::unique_ptr<const ByteSource> OutgoingManifest::OpenObject(size_t i) const {
  const ObjectId& id = manifest_.objects[i].id;
  const auto place = stored_as_.find(id);
  if (place == stored_as_.end()) return repository_->objects().Open(id);
  return WithoutTokens(repository_->objects(), place->second);
}

}  // namespace statelib::storage
