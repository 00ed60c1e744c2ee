// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/index_rebuild.h"

#include <charconv>
#include <map>
#include <set>

#include "core/base/error.h"

namespace statelib::storage {

namespace {

class Filler {
 public:
  Filler(Index& index, const RecordedChanges& changes, const StateSurvey& survey, int64_t now_ms,
         RepairReport* report)
      : index_(index), changes_(changes), survey_(survey), now_ms_(now_ms), report_(report) {}

  void Run() {
    for (const RecordedChanges::Entry& entry : changes_.entries) Sort(entry.record.change);
    for (const auto& [key, change] : newest_) AddModelOrSetting(*change);
    for (const StateId& id : named_) AddState(id);
    for (const StateId& id : named_) AddPrefixes(id);
    for (const auto& [key, derivation] : derivations_) index_.lineage().Restore(*derivation);
    for (const RecordedChanges::Entry& entry : changes_.entries) {
      index_.changes().Restore(entry.file, entry.record);
      if (IsOfName(entry.record.change.kind)) ChangeName(entry.record.change);
    }
    for (const auto& [key, change] : newest_) {
      if (change->kind == ChangeKind::kHad) index_.references().RestoreHad(*change);
    }
    for (const StateId& id : named_) index_.checkpoints().Finish(id);
    index_.lineage().RemoveUnreachable();
    report_->records = changes_.entries.size();
    report_->unfinished_records = changes_.unfinished;
    report_->states = added_.size();
    report_->checkpoints = checkpoints_.size();
    report_->models = index_.models().All().size();
    for (const ReferenceRow& row : index_.references().List({})) {
      ++report_->names;
      report_->versions += index_.references().Versions(row.name, row.tag).size();
    }
  }

 private:
  bool IsRemoved(int64_t line) const { return changes_.removed_lines.contains(line); }
  /// Whether a change is about a version that its name lost later.
  bool IsForgotten(const Change& change) const {
    return changes_.forgotten.contains({change.line, change.version});
  }

  /// Takes down what a change says that does not depend on what came before it.
  void Sort(const Change& change) {
    if (!IsOfName(change.kind)) {
      newest_[KeyOf(change)] = &change;
      return;
    }
    if (change.kind != ChangeKind::kVersion) return;
    for (const KeyedDerivation& each : change.derivations) derivations_.emplace(each.key, &each);
    created_at_ms_.emplace(change.state, change.state_created_at_ms);
    if (!IsRemoved(change.line) && !IsForgotten(change)) {
      if (survey_.states.contains(change.state)) named_.insert(change.state);
    } else {
      removed_.insert(change.state);
    }
  }

  void AddModelOrSetting(const Change& change) {
    if (change.kind == ChangeKind::kModel) {
      AddModel(change.model);
    } else if (change.kind == ChangeKind::kSetting &&
               change.setting == IndexModels::kDefaultSetting) {
      index_.models().SetDefault(Digest::FromHex(change.value));
    } else if (change.kind == ChangeKind::kSetting &&
               change.setting == IndexCheckpoints::kBudgetSetting) {
      uint64_t bytes = 0;
      const char* const end = change.value.data() + change.value.size();
      const auto [at, error] = std::from_chars(change.value.data(), end, bytes);
      if (error == std::errc() && at == end && bytes <= INT64_MAX)
        index_.checkpoints().SetBudget(bytes);
      else
        Lose("the checkpoints' budget, which the records do not say");
    }
  }

  void AddModel(ModelRow row) {
    if (!row.name.empty() && index_.models().FindByName(row.name)) {
      Lose(fmt::format("the name {} of the model {}, which another one has", row.name,
                       row.identity.fingerprint.ShortHex()));
      row.name.clear();
    }
    index_.models().Put(row);
  }

  void AddState(const StateId& id) {
    const auto found = survey_.states.find(id);
    if (found == survey_.states.end() || !added_.insert(id).second) return;
    const SurveyedState& state = found->second;
    if (state.row.base) AddState(*state.row.base);
    index_.models().Learn(state.model, "", now_ms_);
    StateRow row = state.row;
    const auto created = created_at_ms_.find(id);
    row.created_at_ms = created == created_at_ms_.end() ? now_ms_ : created->second;
    index_.states().Add(row, state.chunks);
  }

  /// The states that one was computed from; those without a name, now or before, are checkpoints.
  void AddPrefixes(StateId id) {
    while (linked_.insert(id).second) {
      const auto prefix = PrefixOf(id);
      if (!prefix) return;
      AddState(*prefix);
      index_.states().LinkPrefix(id, *prefix);
      if (!named_.contains(*prefix)) {
        index_.checkpoints().Mark(*prefix, now_ms_);
        checkpoints_.insert(*prefix);
      }
      id = *prefix;
    }
  }

  /// The nearest one that has not been left by its last name.
  std::optional<StateId> PrefixOf(const StateId& id) const {
    auto prefix = survey_.states.at(id).prefix;
    while (prefix && removed_.contains(*prefix) && !named_.contains(*prefix))
      prefix = survey_.states.at(*prefix).prefix;
    return prefix;
  }

  void ChangeName(const Change& change) {
    if (change.kind == ChangeKind::kRemoved || IsRemoved(change.line)) return;
    uint64_t& step = steps_[change.line];
    const bool is_same = change.kind == ChangeKind::kRenamedFrom && change.step == step;
    if (!is_same && change.step != step + 1) {
      Lose(fmt::format("{} changes of {}:{}, whose records are missing or damaged",
                       change.step > step ? change.step - step - 1 : 0, change.name, change.tag));
    }
    step = std::max(step, change.step);
    if (index_.references().Restore(change, IsForgotten(change))) return;
    if (change.kind == ChangeKind::kVersion) {
      const auto damaged = survey_.damaged.find(change.state);
      Lose(fmt::format("{}:{}@{}: {}", change.name, change.tag, change.version,
                       damaged != survey_.damaged.end() ? damaged->second
                       : survey_.states.contains(change.state)
                           ? "another state has this name"
                           : fmt::format("its object {} is missing", change.state.ShortHex())));
    } else {
      Lose(fmt::format("a change of {}:{} to what could not be brought back", change.name,
                       change.tag));
    }
  }

  void Lose(std::string what) { report_->lost.push_back(std::move(what)); }

  Index& index_;
  const RecordedChanges& changes_;
  const StateSurvey& survey_;
  int64_t now_ms_;
  RepairReport* report_;
  std::map<Digest, const Change*> newest_;  // but of names, by key
  std::map<int64_t, const KeyedDerivation*> derivations_;
  std::map<StateId, int64_t> created_at_ms_;
  std::set<StateId> named_;    // by a version of a name that was not removed, and sound
  std::set<StateId> removed_;  // by one that was, or that the name has lost
  std::set<StateId> added_, linked_, checkpoints_;
  std::map<int64_t, uint64_t> steps_;  // line -> the last step
};

}  // namespace

void FillIndex(Index& index, const RecordedChanges& changes, const StateSurvey& survey,
               int64_t now_ms, RepairReport* report) {
  index.Write([&] { Filler(index, changes, survey, now_ms, report).Run(); });
}

}  // namespace statelib::storage
