// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/inspect.h"

#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "cli/terminal/quantities.h"
#include "cli/terminal/table.h"
#include "core/base/printable.h"

namespace statelib::cli {

namespace {

bool IsElsewhere(const library::LogEntry& entry) {
  return entry.derivation.operation == storage::Operation::kImport;
}

// What the version was made from by its name, else its id.
std::string ParentText(const library::LogEntry& entry) {
  if (!entry.made_from.empty()) return entry.made_from + (IsElsewhere(entry) ? " there" : "");
  if (entry.derivation.parent_state) return entry.derivation.parent_state->ShortHex();
  return "-";
}

class LogCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &name_, "A state's name",
                         {.shown_as = "NAME[:TAG][@N]", .required = true});
    declaration.Flag("--sources", sources_, "List every document of every version");
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib log handbook\n"
        "  statelib log handbook --sources\n"
        "  statelib log handbook:draft --json\n");
  }

  void Run(Context& context) override {
    const library::Library library = OpenLibrary(context, library::Library::Access::kRead);
    const std::vector<library::LogEntry> entries = library::Log(library, name_);
    const auto reference = storage::Reference::Parse(name_.substr(0, name_.find('@')));
    if (context.options.json) return PrintAsJson(context, reference, entries);
    if (context.options.quiet) {
      for (const library::LogEntry& entry : entries)
        context.PrintName(
            storage::Reference{reference.name, reference.tag, entry.version.number}.Text());
      return;
    }
    if (sources_) return PrintWithSources(context, entries);
    Table table({{"VERSION", Align::kRight},
                 {"ID"},
                 {"TOKENS", Align::kRight},
                 {"BY"},
                 {"PARENT"},
                 {"SOURCES", Align::kLeft, true},
                 {"AGE"}});
    for (const library::LogEntry& entry : entries)
      table.Add({fmt::format("{}{}", entry.version.current ? "* " : "", entry.version.number),
                 entry.version.state.ShortHex(), HumanCount(entry.token_count),
                 storage::NameOf(entry.derivation.operation), ParentText(entry),
                 SourcesText(entry.derivation.sources), AgeOf(entry.version.created_at_ms)});
    table.Print(context.out);
  }

 private:
  static void PrintAsJson(Context& context, const storage::Reference& reference,
                          const std::vector<library::LogEntry>& entries) {
    Json json = ReferenceJson(reference);
    json["versions"] = Json::array();
    for (const library::LogEntry& entry : entries) {
      const auto& parent = entry.derivation.parent_state;
      json["versions"].push_back(
          {{"version", entry.version.number},
           {"current", entry.version.current},
           {"state", entry.version.state.Hex()},
           {"tokens", entry.token_count},
           {"operation", storage::NameOf(entry.derivation.operation)},
           {"parent", parent ? Json(parent->Hex()) : Json(nullptr)},
           {"made_from", entry.made_from.empty() ? Json(nullptr) : Json(entry.made_from)},
           {"made_elsewhere", IsElsewhere(entry)},
           {"sources", SourcesJson(entry.derivation.sources)},
           {"created_at", IsoTime(entry.version.created_at_ms / 1000)}});
    }
    context.PrintJson(json);
  }

  static void PrintWithSources(Context& context, const std::vector<library::LogEntry>& entries) {
    for (const library::LogEntry& entry : entries) {
      context.out.Print("{}  {}  {} by {}, {}{}\n",
                        context.out.Paint(Colour::kBold, fmt::format("@{}", entry.version.number)),
                        entry.version.state.ShortHex(), HumanCount(entry.token_count, "token"),
                        storage::NameOf(entry.derivation.operation),
                        UtcTime(entry.version.created_at_ms / 1000),
                        entry.version.current ? ", current" : "");
      if (entry.derivation.parent_state) context.out.Print("    from {}\n", ParentText(entry));
      for (const storage::SourceRecord& source : entry.derivation.sources)
        context.out.Print("    {} ({}, {})\n", Printable(source.name),
                          HumanBytes(source.size_bytes), HumanCount(source.token_count, "token"));
    }
  }

  std::string name_;
  bool sources_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeLogCommand() { return std::make_unique<LogCommand>(); }

}  // namespace statelib::cli
