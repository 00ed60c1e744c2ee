// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/import.h"

#include <map>
#include <set>

#include "core/base/error.h"
#include "statestore/storage/publish.h"
#include "statestore/storage/state_object.h"

namespace statelib::storage {

namespace {

/// A state that comes in, and the one that stands for it in this library: an equal one if there is
/// one, which may be another object (another zstd version made it).
struct Incoming {
  StateRow row;
  ModelIdentity model;
  std::vector<TokenChunk> chunks;
  bool stored_before = false;
};

class Importer {
 public:
  Importer(Repository& repository, ImportSource& source, const ImportOptions& options,
           int64_t now_ms)
      : repository_(repository), source_(source), options_(options), now_ms_(now_ms) {
    for (const BundleManifest::Model& model : source.manifest().models)
      model_names_[model.identity.fingerprint] = model.name;
  }

  ImportReport Run(const SourceRecord& origin) {
    // From here on gc cannot take what is found to be here already.
    const Lease lease = options_.dry_run ? repository_.ReadLease() : repository_.WriteLease();
    ReadStates();
    PlanObjects();
    if (options_.dry_run) {
      ForEachReference([&](const BundleManifest::Reference& reference, const Incoming& state) {
        Plan(reference, state);
      });
    } else {
      PutObjects();
      repository_.index().Write([&] { Commit(origin); });
    }
    return std::move(report_);
  }

 private:
  using Visit = std::function<void(const BundleManifest::Reference&, const Incoming&)>;

  void ForEachReference(const Visit& visit) {
    for (const BundleManifest::Reference& reference : source_.manifest().references)
      visit(reference, states_.at(reference.state));
  }

  void ReadStates() {
    std::set<StateId> named;
    for (const BundleManifest::Reference& reference : source_.manifest().references)
      named.insert(reference.state);
    std::set<StateId> bases;
    for (size_t i = 0; i < source_.manifest().objects.size(); ++i) {
      if (!named.contains(source_.manifest().objects[i].id)) continue;
      Incoming incoming = ReadState(i);
      Replace(&incoming, repository_.index().states().FindEqual(incoming.row));
      if (!incoming.stored_before && incoming.row.base) bases.insert(*incoming.row.base);
      states_[source_.manifest().objects[i].id] = std::move(incoming);
    }
    // No equal state does for one that others are differences to.
    for (size_t i = 0; i < source_.manifest().objects.size(); ++i) {
      const StateId& id = source_.manifest().objects[i].id;
      if (!bases.contains(id)) continue;
      Incoming incoming = ReadState(i);
      Replace(&incoming, repository_.index().states().Find(id));
      states_[id] = std::move(incoming);
    }
  }

  Incoming ReadState(size_t i) {
    const auto file = source_.OpenObject(i);
    const StateHeader header = StateReader(*file, source_.location()).header();
    const StateId& id = source_.manifest().objects[i].id;
    return {RowOf(id, header, file->size(), now_ms_), header.description.model,
            header.description.chunks, false};
  }

  /// Lets a state of the library stand for an incoming one, if it is sound.
  void Replace(Incoming* incoming, const std::optional<StateRow>& row) const {
    if (!row || !repository_.IsSound(*row)) return;
    incoming->row = *row;
    incoming->stored_before = true;
  }

  /// Only what a state that is not here needs is taken from the bundle.
  void PlanObjects() {
    for (const auto& [id, state] : states_) {
      if (state.stored_before) continue;
      wanted_.insert(id);
      for (const TokenChunk& chunk : state.chunks) wanted_.insert(chunk.id);
    }
    for (const BundleManifest::Object& object : source_.manifest().objects) {
      if (wanted_.contains(object.id)) wanted_bytes_ += object.size_bytes;
      if (!wanted_.contains(object.id) || repository_.objects().IsSound(object.id)) {
        ++report_.objects_present;
      } else {
        ++report_.objects_added;
        report_.bytes_added += object.size_bytes;
      }
    }
  }

  void PutObjects() {
    const std::vector<BundleManifest::Object>& objects = source_.manifest().objects;
    uint64_t done = 0;
    for (size_t i = 0; i < objects.size(); ++i) {
      options_.control.Check();
      if (!wanted_.contains(objects[i].id)) continue;
      repository_.objects().Put(objects[i].id, *source_.OpenObject(i));
      options_.control.Report(done += objects[i].size_bytes, wanted_bytes_);
    }
  }

  std::string NameOf(const BundleManifest::Reference& from) const {
    return options_.name_prefix + from.name;
  }

  /// The version that a name stands for, where what comes in does not go on from it.
  std::optional<uint64_t> Superseded(const BundleManifest::Reference& from) const {
    const auto current =
        repository_.index().references().FindVersion(NameOf(from), from.tag, std::nullopt);
    if (!current || added_.contains({from.name, from.tag})) return {};
    for (const Derivation& derivation : source_.manifest().derivations) {
      const auto here = states_.find(derivation.state);
      const StateId& state = here == states_.end() ? derivation.state : here->second.row.id;
      if (state == current->state || derivation.parent_state == current->state) return {};
    }
    return current->number;
  }

  /// The version of a reference that makes one of the manifest's superfluous.
  std::optional<VersionRow> Existing(const BundleManifest::Reference& from,
                                     const Incoming& state) const {
    const IndexReferences& references = repository_.index().references();
    const auto current = references.FindVersion(NameOf(from), from.tag, std::nullopt);
    if (current && current->state == state.row.id) return current;
    if (options_.naming == ImportNaming::kMakeCurrent && IsNewest(from)) return {};
    for (const VersionRow& version : references.Versions(NameOf(from), from.tag)) {
      if (version.state == state.row.id) return version;
    }
    return {};
  }

  /// Whether the manifest has no later version of the same name.
  bool IsNewest(const BundleManifest::Reference& reference) const {
    const auto& all = source_.manifest().references;
    const auto next = static_cast<size_t>(&reference - all.data()) + 1;
    return next == all.size() || all[next].name != reference.name || all[next].tag != reference.tag;
  }

  void Report(const BundleManifest::Reference& from, const Incoming& state, uint64_t version,
              bool version_before, std::optional<uint64_t> superseded = {}) {
    report_.references.push_back({{NameOf(from), from.tag, version},
                                  state.row,
                                  model_names_[state.row.model],
                                  state.stored_before,
                                  version_before,
                                  superseded});
    if (!version_before) added_.emplace(from.name, from.tag);
  }

  void Plan(const BundleManifest::Reference& from, const Incoming& state) {
    const auto existing = Existing(from, state);
    if (existing) return Report(from, state, existing->number, true);
    const auto versions = repository_.index().references().Versions(NameOf(from), from.tag);
    uint64_t& next = planned_[{from.name, from.tag}];
    if (next == 0) next = versions.empty() ? 1 : versions.back().number + 1;
    Report(from, state, next++, false, Superseded(from));
  }

  void Commit(const SourceRecord& origin) {
    Index& index = repository_.index();
    for (const auto& [id, state] : states_) {
      LearnModel(state.model);
      index.states().Add(state.row, state.chunks);
    }
    ForEachReference([&](const BundleManifest::Reference& from, const Incoming& state) {
      const HadState had{from.state, state.row.id};
      const auto existing = Existing(from, state);
      if (existing) {
        index.references().NoteHad(from.name, from.tag, had);
        return Report(from, state, existing->number, true);
      }
      const auto superseded = Superseded(from);
      Derivation derivation;
      derivation.operation = Operation::kImport;
      derivation.parent = AddLineage(from.derivation);
      derivation.parent_state = state.row.id;
      derivation.sources = {origin};
      derivation.made_from =
          Reference{from.name, from.tag,
                    from.version == 0 ? std::nullopt : std::optional(from.version)}
              .Text();
      const Reference reference{NameOf(from), from.tag, std::nullopt};
      const PublishedState named = NameState(index, state.row, derivation, reference, now_ms_);
      index.references().NoteHad(from.name, from.tag, had);
      Report(from, state, named.version, false, superseded);
    });
  }

  void LearnModel(const ModelIdentity& model) {
    std::string& name = model_names_[model.fingerprint];
    const auto& reserved = options_.reserved_name;
    const bool is_free =
        !reserved || name != reserved->first || model.fingerprint == reserved->second;
    IndexModels& models = repository_.index().models();
    const bool is_known = models.Find(model.fingerprint).has_value();
    const std::string here = models.Learn(model, name, now_ms_, is_free);
    TakeCard(model.fingerprint);
    if (is_known || here == name) return;
    report_.renamed_models.push_back({name, here});
    name = here;
  }

  /// What is known here of a model's prompt form stays.
  void TakeCard(const Digest& fingerprint) {
    IndexModels& models = repository_.index().models();
    ModelRow row = models.Get(fingerprint);
    if (!row.card.empty()) return;
    for (const BundleManifest::Model& model : source_.manifest().models)
      if (model.identity.fingerprint == fingerprint) row.card = model.prompt;
    if (!row.card.empty()) models.Put(row);
  }

  /// Adds a derivation of the manifest and its ancestors, each once; returns its key here.
  int64_t AddLineage(size_t place) {
    std::vector<size_t> line = {place};
    const std::vector<Derivation>& all = source_.manifest().derivations;
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
  ImportSource& source_;
  const ImportOptions& options_;
  int64_t now_ms_;
  ImportReport report_;
  std::map<Digest, std::string> model_names_;
  std::map<StateId, Incoming> states_;
  std::set<ObjectId> wanted_;
  uint64_t wanted_bytes_ = 0;
  std::map<std::pair<std::string, std::string>, uint64_t> planned_;  // the next version of a name
  std::set<std::pair<std::string, std::string>> added_;  // names that got a version from here
  std::map<size_t, int64_t> keys_;  // place in the manifest -> key of the derivation here
};

}  // namespace

ImportReport ImportObjects(Repository& repository, ImportSource& source, const SourceRecord& origin,
                           const ImportOptions& options, int64_t now_ms) {
  return Importer(repository, source, options, now_ms).Run(origin);
}

}  // namespace statelib::storage
