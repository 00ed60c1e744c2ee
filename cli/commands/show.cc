// SPDX-License-Identifier: Apache-2.0
#include "cli/codec_options.h"
#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "cli/terminal/quantities.h"
#include "cli/terminal/table.h"
#include "statestore/library/inspect.h"

namespace statelib::cli {

namespace {

std::string ShapeText(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t extent : shape) text += (text.empty() ? "" : " x ") + std::to_string(extent);
  return text;
}

Json DerivationJson(const storage::Derivation& derivation) {
  Json json;
  json["operation"] = storage::NameOf(derivation.operation);
  json["state"] = derivation.state.Hex();
  json["parent"] = derivation.parent_state ? Json(derivation.parent_state->Hex()) : Json(nullptr);
  json["tokens"] = derivation.token_count;
  json["created_at"] = IsoTime(derivation.created_at_ms / 1000);
  json["sources"] = SourcesJson(derivation.sources);
  return json;
}

std::string ProofText(const storage::ProofRow& proof) {
  return fmt::format("{}, from {}, under {}", UtcTime(proof.proved_at_ms / 1000),
                     proof.from_tokens == 0
                         ? "nothing"
                         : "the proved state of " + HumanCount(proof.from_tokens, "token"),
                     proof.profile);
}

class ShowCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &name_, "A state's name, or the first digits of its id",
                         {.shown_as = "NAME[:TAG][@N]", .required = true});
    declaration.Flag("--segments", segments_, "List every segment");
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib show handbook\n"
        "  statelib show handbook@1 --segments\n"
        "  statelib show 3f2a91 --json\n");
  }

  void Run(Context& context) override {
    const library::Library library = OpenLibrary(context, library::Library::Access::kRead);
    const library::StateDetails details = library::Show(library, name_);
    if (context.options.json) return PrintAsJson(context, details);
    if (context.options.quiet) return context.PrintName(details.resolved.state.id.Hex());
    PrintFacts(context, details);
    PrintLineage(context, details);
    PrintSegments(context, details);
  }

 private:
  static void PrintFacts(Context& context, const library::StateDetails& details) {
    const storage::StateRow& state = details.resolved.state;
    FactList facts;
    facts.Add("state", state.id.Hex());
    for (const std::string& name : details.names) facts.Add("named", name);
    facts.Add("model", fmt::format("{}{} ({}, {})", details.model_name,
                                   details.model_name.empty() ? "without a name" : "",
                                   details.model.architecture, details.model.summary));
    facts.Add("fingerprint", details.model.fingerprint.Hex());
    facts.Add("profile", state.profile);
    facts.Add("tokens", fmt::format("{}, {}", HumanCount(state.history.token_count()),
                                    state.tokens_kept ? "kept" : "not kept"));
    facts.Add("history", state.history.chain().Hex());
    facts.Add("content", state.content.Hex());
    facts.Add("size", fmt::format("{} stored in {}", HumanBytes(state.raw_bytes),
                                  HumanBytes(state.stored_bytes)));
    if (state.base) facts.Add("delta", "a difference to the state " + state.base->Hex());
    if (details.fidelity) facts.Add("lossy", FidelityText(*details.fidelity));
    if (details.token_chunks > 0)
      facts.Add("tokens object", fmt::format("{} in {}", HumanBytes(details.token_chunk_bytes),
                                             HumanCount(details.token_chunks, "chunk")));
    if (details.checkpoint)
      facts.Add("checkpoint", details.checkpoint->unfinished ? "unfinished" : "yes");
    if (storage::IsEdited(state.profile))
      facts.Add("edited", "its numbers, or those that it goes on from, by hand");
    else if (details.proofs.empty())
      facts.Add("proved", "never; `statelib verify --rederive NAME` does it");
    for (const storage::ProofRow& proof : details.proofs) facts.Add("proved", ProofText(proof));
    facts.Add("created", UtcTime(state.created_at_ms / 1000));
    facts.Add("object", details.object_path.string());
    facts.Print(context.out);
  }

  static void PrintLineage(Context& context, const library::StateDetails& details) {
    if (details.lineage.empty()) return;
    context.out.Write("\n");
    Table table(
        {{"LINEAGE"}, {"STATE"}, {"TOKENS", Align::kRight}, {"SOURCES", Align::kLeft, true}});
    for (const storage::Derivation& derivation : details.lineage) {
      std::string sources;
      for (const storage::SourceRecord& source : derivation.sources)
        sources +=
            fmt::format("{}{} ({}, {})", sources.empty() ? "" : ", ", source.name,
                        HumanBytes(source.size_bytes), HumanCount(source.token_count, "token"));
      table.Add({storage::NameOf(derivation.operation), derivation.state.ShortHex(),
                 HumanCount(derivation.token_count), sources});
    }
    table.Print(context.out);
  }

  void PrintSegments(Context& context, const library::StateDetails& details) const {
    context.out.Write("\n");
    if (!segments_) {
      context.out.Print("{}; --segments lists them\n",
                        HumanCount(details.segments.size(), "segment"));
      return;
    }
    Table table({{"LAYER", Align::kRight},
                 {"KIND"},
                 {"SHAPE"},
                 {"TYPE"},
                 {"CODEC"},
                 {"SIZE", Align::kRight},
                 {"STORED", Align::kRight}});
    for (const library::SegmentDetails& segment : details.segments)
      table.Add({segment.spec.layer < 0 ? "-" : std::to_string(segment.spec.layer),
                 statelib::NameOf(segment.spec.kind), ShapeText(segment.spec.shape),
                 kernels::NameOf(segment.spec.dtype), segment.codec, HumanBytes(segment.raw_bytes),
                 HumanBytes(segment.stored_bytes)});
    table.Print(context.out);
  }

  static void PrintAsJson(Context& context, const library::StateDetails& details) {
    Json json = StateJson(details.resolved.state);
    json["content"] = details.resolved.state.content.Hex();
    json["checkpoint"] = details.checkpoint.has_value();
    json["proofs"] = Json::array();
    for (const storage::ProofRow& proof : details.proofs)
      json["proofs"].push_back({{"profile", proof.profile},
                                {"from_tokens", proof.from_tokens},
                                {"proved_at", IsoTime(proof.proved_at_ms / 1000)}});
    json["names"] = details.names;
    json["model_name"] = details.model_name;
    json["model_architecture"] = details.model.architecture;
    json["model_summary"] = details.model.summary;
    json["object_path"] = details.object_path.string();
    json["token_chunks"] = details.token_chunks;
    json["token_chunk_bytes"] = details.token_chunk_bytes;
    json["lineage"] = Json::array();
    for (const storage::Derivation& derivation : details.lineage)
      json["lineage"].push_back(DerivationJson(derivation));
    if (details.fidelity) json["fidelity"] = FidelityJson(*details.fidelity);
    json["segments"] = Json::array();
    for (const library::SegmentDetails& segment : details.segments)
      json["segments"].push_back({{"layer", segment.spec.layer},
                                  {"kind", statelib::NameOf(segment.spec.kind)},
                                  {"shape", segment.spec.shape},
                                  {"axes", segment.spec.axes},
                                  {"dtype", kernels::NameOf(segment.spec.dtype)},
                                  {"codec", segment.codec},
                                  {"raw_bytes", segment.raw_bytes},
                                  {"stored_bytes", segment.stored_bytes}});
    context.PrintJson(json);
  }

  std::string name_;
  bool segments_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeShowCommand() { return std::make_unique<ShowCommand>(); }

}  // namespace statelib::cli
