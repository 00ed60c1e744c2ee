// SPDX-License-Identifier: Apache-2.0
#include "cli/facts.h"

#include "cli/codec_options.h"
#include "cli/terminal/quantities.h"
#include "core/base/printable.h"

namespace statelib::cli {

Json ReferenceJson(const storage::Reference& reference) {
  Json json = {{"name", reference.name}, {"tag", reference.tag}};
  if (reference.version) json["version"] = *reference.version;
  return json;
}

Json StateJson(const storage::StateRow& state) {
  return {{"id", state.id.Hex()},
          {"tokens", state.history.token_count()},
          {"history", state.history.chain().Hex()},
          {"model", state.model.Hex()},
          {"profile", state.profile},
          {"edited", storage::IsEdited(state.profile)},
          {"tokens_kept", state.tokens_kept},
          {"raw_bytes", state.raw_bytes},
          {"stored_bytes", state.stored_bytes},
          {"base", state.base ? Json(state.base->Hex()) : Json(nullptr)},
          {"created_at", IsoTime(state.created_at_ms / 1000)}};
}

Json SourcesJson(const std::vector<storage::SourceRecord>& sources) {
  Json list = Json::array();
  for (const storage::SourceRecord& source : sources)
    list.push_back({{"name", source.name},
                    {"bytes", source.size_bytes},
                    {"blake2b", source.digest.Hex()},
                    {"tokens", source.token_count},
                    {"read_at", IsoTime(source.read_at_ms / 1000)}});
  return list;
}

Json SavedJson(const library::SavedState& saved) {
  Json json = {{"reference", ReferenceJson(saved.reference)},
               {"state", StateJson(saved.state)},
               {"stored_before", saved.stored_before},
               {"version_before", saved.version_before},
               {"save_ms", saved.seconds * 1000}};
  if (saved.fidelity) json["fidelity"] = FidelityJson(*saved.fidelity);
  if (saved.delta) json["delta"] = DeltaJson(*saved.delta);
  return json;
}

void PrintSaved(const Context& context, const library::SavedState& saved) {
  if (context.options.json) return context.PrintJson(SavedJson(saved));
  context.Tell(Shown::Format("{}: {}\n", context.out.Paint(Colour::kBold, saved.reference.Text()),
                             StateText(saved.state)) +
                   Shown::Lines(StoringText(saved)),
               saved.reference.Text());
}

std::string StoringText(const library::SavedState& saved) {
  if (saved.fidelity) return FidelityText(*saved.fidelity) + "\n";
  return saved.delta ? DeltaText(*saved.delta) + "\n" : "";
}

void PrintMoved(const Context& context, const library::MovedReference& moved) {
  if (context.options.json)
    return context.PrintJson({{"reference", ReferenceJson(moved.now)},
                              {"before", ReferenceJson(moved.before)},
                              {"state", StateJson(moved.state)}});
  context.Tell(
      Shown::Format("{}: {}; it was {}\n", context.out.Paint(Colour::kBold, moved.now.Text()),
                    StateText(moved.state), moved.before.Text()),
      moved.now.Text());
}

std::string NameOf(const storage::ResolvedState& state) {
  return state.reference ? state.reference->Text() : state.state.id.ShortHex();
}

std::string SourcesText(const std::vector<storage::SourceRecord>& sources) {
  if (sources.empty()) return "";
  if (sources.size() > 1) return HumanCount(sources.size(), "file");
  return Printable(sources.front().name);
}

std::string AgeOf(int64_t unix_ms) {
  const int64_t now_ms = library::Library::SystemClock()();
  return HumanAge(now_ms / 1000 - unix_ms / 1000);
}

std::string StateText(const storage::StateRow& state) {
  return fmt::format("state {}, {} stored in {}", state.id.ShortHex(), HumanBytes(state.raw_bytes),
                     HumanBytes(state.stored_bytes));
}

}  // namespace statelib::cli
