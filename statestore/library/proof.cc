// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/proof.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "core/base/error.h"
#include "statestore/library/load.h"
#include "statestore/library/prefix.h"
#include "statestore/storage/state_object.h"

namespace statelib::library {

namespace {

using Clock = std::chrono::steady_clock;

class Prover {
 public:
  Prover(Library& library, const LoadedModel& model, const storage::ResolvedState& state,
         const RederiveOptions& options)
      : library_(library), model_(model), options_(options) {
    result_.state = state;
    result_.profile = model.runtime->profile();
    result_.same_profile = state.state.profile == result_.profile;
  }

  Rederivation Run() {
    const Clock::time_point start = Clock::now();
    CheckModel();
    tokens_ = TokensOrThrow(library_, result_.state).Values();
    const std::vector<storage::StateRow> stored = StoredPrefixes(library_, model_, {}, tokens_);
    engine::State state = Start(stored);
    result_.from_tokens = state.token_count();
    result_.tokens_read = tokens_.size() - state.token_count();
    std::map<uint64_t, std::vector<storage::StateRow>> stops;
    for (const storage::StateRow& row : stored) {
      if (row.history.token_count() > state.token_count() && row.id != target().id)
        stops[row.history.token_count()].push_back(row);
    }
    for (const auto& [token_count, rows] : stops) {
      Advance(state, token_count);
      const Digest content = ContentOf(state);
      for (const storage::StateRow& row : rows) JudgeOnTheWay(row, content);
    }
    Advance(state, tokens_.size());
    JudgeTarget(state);
    result_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return std::move(result_);
  }

 private:
  const storage::StateRow& target() const { return result_.state.state; }

  void CheckModel() const {
    storage::ResolvedState any_profile = result_.state;
    any_profile.state.profile = result_.profile;
    CheckFits(library_, model_, any_profile);
  }

  /// The longest shorter state that was proved itself, or the empty one.
  engine::State Start(const std::vector<storage::StateRow>& stored) {
    for (const storage::StateRow& row : stored) {
      if (options_.from_nothing || row.history.token_count() == tokens_.size()) continue;
      if (!IsProved(row) || !IsWhole(row)) continue;
      return LoadState(library_, model_, {row, std::nullopt, std::nullopt}).state;
    }
    return model_.runtime->Empty();
  }

  bool IsProved(const storage::StateRow& row) const {
    const auto proofs = library_.repository().index().states().ProofsOf(row.id);
    return std::any_of(proofs.begin(), proofs.end(), [&](const storage::ProofRow& proof) {
      return proof.profile == result_.profile;
    });
  }

  /// Whether a state's object holds what the index says.
  bool IsWhole(const storage::StateRow& row) const {
    const storage::Lease lease = library_.repository().ReadLease();
    const storage::ObjectStore& objects = library_.repository().objects();
    try {
      const std::string location = objects.PathOf(row.id).string();
      return storage::VerifyState(*objects.Open(row.id), location, objects.Opener()).content ==
             row.content;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kCorrupt && error.kind() != ErrorKind::kNotFound) throw;
    }
    return false;
  }

  void Advance(engine::State& state, uint64_t token_count) {
    const uint64_t from = state.token_count();
    engine::AdvanceControl control;
    control.cancel = options_.cancel;
    if (options_.on_progress) {
      control.on_progress = [&](uint64_t done) {
        options_.on_progress(from - result_.from_tokens + done, result_.tokens_read);
      };
    }
    model_.runtime->Advance(state, std::span(tokens_).subspan(from, token_count - from), control);
  }

  Digest ContentOf(const engine::State& state) const {
    const std::vector<Bytes> segments = model_.runtime->Snapshot(state);
    return storage::ContentDigest(model_.runtime->SpecFor(state.token_count()),
                                  std::vector<ByteSpan>(segments.begin(), segments.end()));
  }

  void Record(const storage::StateRow& row, bool proved) {
    storage::IndexStates& states = library_.repository().index().states();
    if (proved)
      states.Prove(row.id, result_.profile, result_.from_tokens, library_.now_ms());
    else
      states.Disprove(row.id);
  }

  void JudgeOnTheWay(const storage::StateRow& row, const Digest& content) {
    const bool equal = row.content == content && IsWhole(row);
    Record(row, equal);
    if (equal)
      ++result_.proved_on_the_way;
    else
      result_.wrong_on_the_way.push_back(row);
  }

  void JudgeTarget(const engine::State& state) {
    const storage::Lease lease = library_.repository().ReadLease();
    const storage::ObjectStore& objects = library_.repository().objects();
    const std::string location = objects.PathOf(target().id).string();
    const storage::StateRecord stored = storage::DecodeState(
        objects.Get(target().id), location, storage::FileHash::kChecked, objects.Getter());
    const StateSpec spec = model_.runtime->SpecFor(state.token_count());
    if (stored.description.spec != spec) {
      Throw(ErrorKind::kMismatch, "{}: its segments are not those that {} has", location,
            model_.Label());
    }
    const std::vector<Bytes> segments = model_.runtime->Snapshot(state);
    result_.equal_bytes = stored.segments == segments;
    if (!result_.equal_bytes) {
      for (size_t i = 0; i < spec.size(); ++i)
        result_.segments.push_back(CompareSegments(spec[i], stored.segments[i], segments[i]));
      std::stable_sort(result_.segments.begin(), result_.segments.end(),
                       [](const SegmentDifference& x, const SegmentDifference& y) {
                         return x.relative_l2 > y.relative_l2;
                       });
    }
    // That another profile gives other bytes disproves nothing.
    if (result_.equal_bytes || result_.same_profile) Record(target(), result_.equal_bytes);
  }

  Library& library_;
  const LoadedModel& model_;
  const RederiveOptions& options_;
  std::vector<TokenId> tokens_;
  Rederivation result_;
};

}  // namespace

Rederivation Rederive(Library& library, const LoadedModel& model,
                      const storage::ResolvedState& state, const RederiveOptions& options) {
  return Prover(library, model, state, options).Run();
}

}  // namespace statelib::library
