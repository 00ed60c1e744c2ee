// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "cli/terminal/quantities.h"
#include "cli/terminal/table.h"
#include "core/base/printable.h"
#include "statestore/documents/document_template.h"
#include "statestore/library/history.h"

namespace statelib::cli {

namespace {

class StatusCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &name_, "A state's name",
                         {.shown_as = "NAME[:TAG][@N]", .required = true});
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib status handbook\n"
        "  statelib status handbook --json | jq .up_to_date\n"
        "  statelib status handbook > /dev/null || statelib build\n"
        "\n"
        "A document that was moved is found by its bytes, in the folders of the state's documents\n"
        "and below. Exit code 1: a document has changed or is gone.\n");
  }

  void Run(Context& context) override {
    const library::Library library = OpenLibrary(context, library::Library::Access::kRead);
    const storage::ResolvedState state = library.Resolve(name_);
    const std::vector<library::SourceStatus> sources = library::StatusOf(library, state);
    const auto differ = std::count_if(sources.begin(), sources.end(), [](const auto& source) {
      return library::IsOutOfDate(source.change);
    });
    if (differ > 0) context.exit_code = kExitOutOfDate;
    const storage::SourceTemplate how =
        library.repository().index().lineage().Get(*state.derivation).text_template;
    if (context.options.json) return PrintAsJson(context, state, sources, how, differ == 0);
    if (context.options.quiet) {
      for (const library::SourceStatus& source : sources)
        if (library::IsOutOfDate(source.change)) context.PrintName(source.source.name);
      return;
    }
    if (sources.empty())
      return context.out.Print("{}: no document is known to have gone into it\n", NameOf(state));
    Table table({{"STATUS"},
                 {"SOURCE", Align::kLeft, true},
                 {"SIZE", Align::kRight},
                 {"NOW", Align::kRight},
                 {"READ"}});
    for (const library::SourceStatus& source : sources)
      table.Add(
          {library::NameOf(source.change), PlaceOf(source), HumanBytes(source.source.size_bytes),
           HasFile(source) ? HumanBytes(source.size_now) : "-", AgeOf(source.source.read_at_ms)});
    table.Print(context.out);
    const std::string with = OptionsText(how);
    context.out.Print("{}: {}\n", NameOf(state),
                      differ == 0
                          ? "up to date" + (with.empty() ? "" : "; read with" + with)
                          : HumanCount(static_cast<uint64_t>(differ), "document") +
                                " not as read; ingest again" + (with.empty() ? "" : " with") +
                                with + " to bring it up to date");
  }

 private:
  static std::string PlaceOf(const library::SourceStatus& status) {
    const storage::SourceRecord& source = status.source;
    const std::string place = Printable(source.path.empty() ? source.name : source.path);
    if (status.path_now.empty()) return place;
    return place + " -> " + Printable(status.path_now);
  }

  /// The template as options for a shell: " --separator '\n'".
  static std::string OptionsText(const storage::SourceTemplate& how) {
    std::string text;
    const auto add = [&](const char* option, const std::string& value) {
      if (value.empty()) return;
      text += fmt::format(" {} '", option);
      for (const char c : documents::Typed(value)) text += c == '\'' ? "'\\''" : std::string(1, c);
      text += "'";
    };
    add("--separator", how.separator);
    add("--heading", how.heading);
    return Printable(text);
  }

  static bool HasFile(const library::SourceStatus& source) {
    return source.change != library::SourceChange::kMissing &&
           source.change != library::SourceChange::kUnknown;
  }

  static void PrintAsJson(const Context& context, const storage::ResolvedState& state,
                          const std::vector<library::SourceStatus>& sources,
                          const storage::SourceTemplate& how, bool up_to_date) {
    Json json;
    if (state.reference) json["reference"] = ReferenceJson(*state.reference);
    json["up_to_date"] = up_to_date;
    json["separator"] = how.separator;
    json["heading"] = how.heading;
    json["sources"] = Json::array();
    for (const library::SourceStatus& source : sources) {
      json["sources"].push_back(
          {{"name", source.source.name},
           {"path", source.source.path.empty() ? Json(nullptr) : Json(source.source.path)},
           {"path_now", source.path_now.empty() ? Json(nullptr) : Json(source.path_now)},
           {"status", library::NameOf(source.change)},
           {"bytes", source.source.size_bytes},
           {"bytes_now", HasFile(source) ? Json(source.size_now) : Json(nullptr)},
           {"blake2b", source.source.digest.Hex()},
           {"read_at", IsoTime(source.source.read_at_ms / 1000)}});
    }
    context.PrintJson(json);
  }

  std::string name_;
};

}  // namespace

std::unique_ptr<Command> MakeStatusCommand() { return std::make_unique<StatusCommand>(); }

}  // namespace statelib::cli
