// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/state_survey.h"

#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/error.h"
#include "statestore/storage/file_head.h"
#include "statestore/storage/message_codec.h"
#include "statestore/storage/state_object.h"
#include "statestore/storage/token_history.h"

namespace statelib::storage {

namespace {

/// Histories by their length.
using Histories = std::map<uint64_t, std::vector<std::pair<Digest, StateId>>>;

class Surveyor {
 public:
  Surveyor(const ObjectStore& objects, const SurveyControl& control)
      : objects_(objects), control_(control) {}

  StateSurvey Run() {
    std::vector<ObjectId> ids;
    objects_.ForEach([&](const ObjectId& id, uint64_t) { ids.push_back(id); });
    for (size_t i = 0; i < ids.size(); ++i) {
      if (control_.on_progress) control_.on_progress(i, ids.size());
      Try(ids[i], [&] { Look(ids[i]); });
    }
    for (const auto& [id, state] : survey_.states) {
      histories_[{state.row.model, state.row.profile}][state.row.history.token_count()]
          .emplace_back(state.row.history.chain(), id);
    }
    std::map<StateId, std::vector<StateId>> prefixes;
    for (const auto& entry : survey_.states)
      Try(entry.first, [&] { prefixes[entry.first] = Read(entry.second); });
    for (const auto& [id, what] : survey_.damaged) survey_.states.erase(id);
    for (auto& [id, state] : survey_.states) {
      for (const StateId& prefix : prefixes[id]) {  // the longest last
        if (survey_.states.contains(prefix)) state.prefix = prefix;
      }
    }
    return std::move(survey_);
  }

 private:
  template <typename Body>
  void Try(const ObjectId& id, const Body& body) {
    if (control_.cancel != nullptr) control_.cancel->Check();
    try {
      body();
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kCancelled) throw;
      survey_.damaged[id] = error.what();
    }
  }

  void Look(const ObjectId& id) {
    const std::string location = objects_.PathOf(id).string();
    const auto file = objects_.Open(id);
    Bytes buffer;
    const ByteSpan head = ReadHead(kObjectFile, *file, location, &buffer);
    const ObjectHeader any = ParseHeader(CheckedHeader(kObjectFile, head, location), location);
    if (!std::holds_alternative<StateHeader>(any)) return;
    const StateHeader header = VerifyState(*file, location, objects_.Opener());
    survey_.states[id] = {RowOf(id, header, file->size(), 0), header.description.model,
                          header.description.chunks, std::nullopt};
  }

  /// Checks the tokens of a state and returns the shorter states that they begin with, by length.
  std::vector<StateId> Read(const SurveyedState& state) const {
    std::vector<StateId> prefixes;
    if (!state.row.tokens_kept) return prefixes;
    const Histories& others = histories_.at({state.row.model, state.row.profile});
    auto next = others.begin();
    History history;
    ForEachChunk(objects_, state.chunks, [&](std::span<const TokenId> tokens) {
      while (!tokens.empty()) {
        const uint64_t to_next =
            next == others.end()
                ? tokens.size()
                : std::min<uint64_t>(next->first - history.token_count(), tokens.size());
        history.Append(tokens.first(to_next));
        tokens = tokens.subspan(to_next);
        if (next == others.end() || history.token_count() < next->first) continue;
        for (const auto& [chain, id] : next->second) {
          if (id != state.row.id && chain == history.chain() &&
              next->first < state.row.history.token_count())
            prefixes.push_back(id);
        }
        ++next;
      }
    });
    if (history == state.row.history) return prefixes;
    Throw(ErrorKind::kCorrupt, "{}: its tokens make history {}, expected {}",
          objects_.PathOf(state.row.id).string(), history.chain().ShortHex(),
          state.row.history.chain().ShortHex());
  }

  const ObjectStore& objects_;
  const SurveyControl& control_;
  StateSurvey survey_;
  std::map<std::pair<Digest, std::string>, Histories> histories_;
};

}  // namespace

StateSurvey SurveyStates(const ObjectStore& objects, const SurveyControl& control) {
  return Surveyor(objects, control).Run();
}

}  // namespace statelib::storage
