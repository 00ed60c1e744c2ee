// SPDX-License-Identifier: Apache-2.0
#include "cli/transfer.h"

#include "cli/facts.h"
#include "cli/terminal/quantities.h"
#include "core/base/printable.h"

namespace statelib::cli {

namespace {

std::string Remark(const storage::ImportedReference& imported) {
  if (imported.version_before) return "; it was that already";
  std::string remark = imported.stored_before ? "; the library held the state already" : "";
  if (imported.superseded) {
    const storage::Reference before{imported.reference.name, imported.reference.tag,
                                    imported.superseded};
    remark +=
        fmt::format("; {}, which it does not go on from, stays as an older version", before.Text());
  }
  return remark;
}

}  // namespace

void AddCarryingOptions(Declaration& declaration, library::Selection& selection,
                        LeftOut& left_out) {
  declaration.Flag("--all-versions", selection.all_versions,
                   "Every version of each name, not only the current one");
  declaration.Flag("--no-lineage", left_out.lineage, "Leave out what the states came from");
  declaration.Flag("--no-sources", left_out.sources,
                   "Leave out the names, sizes and hashes of the documents");
  declaration.Flag("--no-tokens", left_out.tokens,
                   "Leave out the text that was read; its length and hash chain remain");
}

storage::ManifestOptions ToManifestOptions(const LeftOut& left_out) {
  return {!left_out.lineage, !left_out.sources, !left_out.tokens};
}

void AddMaxBytesOption(Declaration& declaration, std::string& max_bytes) {
  declaration.Option("--max-bytes", &max_bytes,
                     "How large a state may be, unpacked, where none of its model is here yet "
                     "(default: 1GiB)",
                     {.shown_as = "SIZE"});
}

uint64_t MaxBytesOf(const std::string& max_bytes) {
  return max_bytes.empty() ? storage::Admission::kStateBytesMax : ParseBytes(max_bytes);
}

Json ImportJson(const storage::ImportReport& report, bool dry_run) {
  Json references = Json::array();
  for (const storage::ImportedReference& imported : report.references)
    references.push_back(
        {{"reference", ReferenceJson(imported.reference)},
         {"state", StateJson(imported.state)},
         {"model_name", imported.model_name},
         {"stored_before", imported.stored_before},
         {"version_before", imported.version_before},
         {"superseded", imported.superseded ? Json(*imported.superseded) : Json(nullptr)}});
  return {{"dry_run", dry_run},
          {"references", references},
          {"objects_added", report.objects_added},
          {"objects_present", report.objects_present},
          {"bytes_added", report.bytes_added},
          {"renamed_models", RenamedJson(report.renamed_models)}};
}

Json RenamedJson(const std::vector<storage::RenamedModel>& models) {
  Json list = Json::array();
  for (const storage::RenamedModel& model : models)
    list.push_back({{"from", model.from}, {"to", model.to}});
  return list;
}

void PrintRenamed(Context& context, const std::vector<storage::RenamedModel>& models) {
  if (context.options.quiet) return;
  for (const storage::RenamedModel& model : models)
    context.out.Print(
        "the model {} of these states is another one than {} here, so it is called {}\n",
        Printable(model.from), Printable(model.from), Printable(model.to));
}

void PrintImport(Context& context, const storage::ImportReport& report, bool dry_run) {
  for (const storage::ImportedReference& imported : report.references)
    context.Tell(Shown::Format("{}{}: {}, {}{}\n", dry_run ? "would import " : "",
                               context.out.Paint(Colour::kBold, imported.reference.Text()),
                               HumanCount(imported.state.history.token_count(), "token"),
                               StateText(imported.state), Remark(imported)),
                 imported.reference.Text());
  PrintRenamed(context, report.renamed_models);
  context.Tell(
      Shown::Format("{} of {} {}, {} there already\n", HumanCount(report.objects_added, "object"),
                    HumanBytes(report.bytes_added), dry_run ? "would be added" : "added",
                    report.objects_present),
      "");
}

}  // namespace statelib::cli
