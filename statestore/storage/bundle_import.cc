// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <set>

#include "core/base/error.h"
#include "statestore/storage/bundle.h"
#include "statestore/storage/publish.h"
#include "statestore/storage/state_object.h"

namespace statelib::storage {

namespace {

/// A state of the bundle, and the one that stands for it in this library: an equal one if there is
/// one, which may be another object (another zstd version made it).
struct Incoming {
  StateRow row;
  ModelIdentity model;
  std::vector<TokenChunk> chunks;
  bool stored_before = false;
};

class Importer {
 public:
  Importer(Repository& repository, BundleFile& bundle, const ImportOptions& options, int64_t now_ms)
      : repository_(repository), bundle_(bundle), options_(options), now_ms_(now_ms) {
    for (const BundleManifest::Model& model : bundle.manifest().models)
      model_names_[model.identity.fingerprint] = model.name;
  }

  ImportReport Run(const std::string& source_name) {
    // From here on gc cannot take what is found to be here already.
    const FileLock lease = options_.dry_run ? repository_.ReadLease() : repository_.WriteLease();
    ReadStates();
    PlanObjects();
    if (!options_.dry_run) PutObjects();
    if (options_.dry_run) {
      ForEachReference([&](const BundleManifest::Reference& reference, const Incoming& state) {
        Plan(reference, state);
      });
    } else {
      repository_.index().Write([&] { Commit(source_name); });
    }
    return std::move(report_);
  }

 private:
  using Visit = std::function<void(const BundleManifest::Reference&, const Incoming&)>;

  void ForEachReference(const Visit& visit) {
    for (const BundleManifest::Reference& reference : bundle_.manifest().references)
      visit(reference, states_.at(reference.state));
  }

  void ReadStates() {
    std::set<StateId> named;
    for (const BundleManifest::Reference& reference : bundle_.manifest().references)
      named.insert(reference.state);
    for (size_t i = 0; i < bundle_.manifest().objects.size(); ++i) {
      const BundleManifest::Object& object = bundle_.manifest().objects[i];
      if (!named.contains(object.id)) continue;
      const EncodedObject file = bundle_.ReadObject(i);
      const StateHeader header = StateReader(file.bytes, bundle_.where()).header();
      Incoming incoming;
      incoming.row = RowOf(object.id, header, file.bytes.size(), now_ms_);
      incoming.model = header.description.model;
      incoming.chunks = header.description.chunks;
      const auto equal = repository_.index().states().FindEqual(incoming.row);
      if (equal && repository_.objects().IsSound(equal->id)) {
        incoming.row = *equal;
        incoming.stored_before = true;
      }
      states_[object.id] = std::move(incoming);
    }
  }

  /// Only what a state that is not here needs is taken from the bundle.
  void PlanObjects() {
    for (const auto& [id, state] : states_) {
      if (state.stored_before) continue;
      wanted_.insert(id);
      for (const TokenChunk& chunk : state.chunks) wanted_.insert(chunk.id);
    }
    for (const BundleManifest::Object& object : bundle_.manifest().objects) {
      if (!wanted_.contains(object.id) || repository_.objects().IsSound(object.id)) {
        ++report_.objects_present;
      } else {
        ++report_.objects_added;
        report_.bytes_added += object.size_bytes;
      }
    }
  }

  void PutObjects() {
    for (size_t i = 0; i < bundle_.manifest().objects.size(); ++i) {
      if (options_.cancel != nullptr) options_.cancel->Check();
      if (wanted_.contains(bundle_.manifest().objects[i].id))
        repository_.objects().Put(bundle_.ReadObject(i));
    }
  }

  void Plan(const BundleManifest::Reference& from, const Incoming& state) {
    const auto current =
        repository_.index().references().FindVersion(from.name, from.tag, std::nullopt);
    const bool same = current && current->state == state.row.id;
    const auto versions = repository_.index().references().Versions(from.name, from.tag);
    const uint64_t next = versions.empty() ? 1 : versions.back().number + 1;
    report_.references.push_back({{from.name, from.tag, same ? current->number : next},
                                  state.row,
                                  model_names_[state.row.model],
                                  state.stored_before,
                                  same});
  }

  void Commit(const std::string& source_name) {
    Index& index = repository_.index();
    for (const auto& [id, state] : states_) {
      index.models().Learn(state.model, model_names_[state.model.fingerprint], now_ms_);
      index.states().Add(state.row, state.chunks);
    }
    ForEachReference([&](const BundleManifest::Reference& from, const Incoming& state) {
      const Reference reference{from.name, from.tag, std::nullopt};
      const auto current = index.references().FindVersion(from.name, from.tag, std::nullopt);
      Derivation derivation;
      if (!current || current->state != state.row.id) {
        derivation.operation = Operation::kImport;
        derivation.parent = AddLineage(from.derivation);
        derivation.parent_state = state.row.id;
        derivation.sources = {{source_name, bundle_.file_bytes(), bundle_.digest(), 0, now_ms_}};
      }
      const PublishedState named = NameState(index, state.row, derivation, reference, now_ms_);
      report_.references.push_back({{from.name, from.tag, named.version},
                                    state.row,
                                    model_names_[state.row.model],
                                    state.stored_before,
                                    named.version_before});
    });
  }

  /// Adds a derivation of the manifest and its ancestors, each once; returns its key here.
  int64_t AddLineage(size_t place) {
    std::vector<size_t> line = {place};
    const std::vector<Derivation>& all = bundle_.manifest().derivations;
    while (!keys_.contains(line.back()) && all[line.back()].parent)
      line.push_back(static_cast<size_t>(*all[line.back()].parent));
    for (size_t i = line.size(); i-- > 0;) {  // parents first
      if (keys_.contains(line[i])) continue;
      Derivation derivation = all[line[i]];
      if (derivation.parent) derivation.parent = keys_.at(static_cast<size_t>(*derivation.parent));
      if (const auto here = states_.find(derivation.state); here != states_.end())
        derivation.state = here->second.row.id;
      keys_[line[i]] = repository_.index().lineage().Add(derivation);
    }
    return keys_.at(place);
  }

  Repository& repository_;
  BundleFile& bundle_;
  const ImportOptions& options_;
  int64_t now_ms_;
  ImportReport report_;
  std::map<Digest, std::string> model_names_;
  std::map<StateId, Incoming> states_;
  std::set<ObjectId> wanted_;
  std::map<size_t, int64_t> keys_;  // place in the manifest -> key of the derivation here
};

}  // namespace

ImportReport ImportBundle(Repository& repository, BundleFile& bundle,
                          const std::string& source_name, const ImportOptions& options,
                          int64_t now_ms) {
  bundle.Verify(options.cancel);
  return Importer(repository, bundle, options, now_ms).Run(source_name);
}

}  // namespace statelib::storage
