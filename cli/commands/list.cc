// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "cli/terminal/quantities.h"
#include "cli/terminal/table.h"
#include "cli/where.h"
#include "core/base/error.h"
#include "statestore/library/inspect.h"
#include "statestore/library/selection.h"

namespace statelib::cli {

namespace {

using Sort = storage::ReferenceQuery::Sort;

class ListCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("PATTERN", &pattern_,
                         "Only these names, as 'minutes/*'; NAME:TAG for one tag, 'NAME:*' for all "
                         "of them",
                         {.shown_as = "NAME[:TAG]"});
    declaration.Option("--sort", &sort_, "name, age (newest first), tokens or size (largest first)",
                       {.shows_default = true, .choices = {"name", "age", "tokens", "size"}});
    declaration.Flag("--reverse", reverse_, "Turn the order round");
    declaration.Option("--where", &conditions_,
                       "Only where this holds, as model=demo, tag=draft, source=*.md, 'age<7d', "
                       "'size>1MB', 'tokens>=1000'; several together",
                       {.shown_as = "CONDITION"});
    declaration.Option("--limit", &limit_, "Print at most N; 0 prints all",
                       {.shown_as = "N", .shows_default = true});
    declaration.Option("--after", &after_, "Begin after this name, where the last page ended",
                       {.shown_as = "NAME[:TAG]"});
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib list\n"
        "  statelib list 'minutes*' --sort age\n"
        "  statelib list --where model=demo --where 'age<7d' --where 'source=*.md'\n"
        "  statelib list --limit 100 --after handbook\n"
        "  statelib list --quiet\n"
        "  statelib list --json | jq '.states[].name'\n");
  }

  void Run(Context& context) override {
    const library::Library library = OpenLibrary(context, library::Library::Access::kRead);
    const std::vector<storage::ReferenceRow> rows = library::List(library, Query(library));
    if (rows.empty())
      context.notes.Add(Notes::Kind::kPlain,
                        fmt::format("no states{} in {}", pattern_.empty() ? "" : " of that name",
                                    library.path().string()));
    if (context.options.json)
      PrintAsJson(context, rows);
    else if (context.options.quiet)
      for (const storage::ReferenceRow& row : rows)
        context.PrintName(storage::Reference{row.name, row.tag, {}}.Text());
    else if (!rows.empty())
      PrintAsTable(context, rows);
  }

 private:
  storage::ReferenceQuery Query(const library::Library& library) const {
    storage::ReferenceQuery query = library::QueryOf(pattern_);
    if (sort_ == "age") query.sort = Sort::kTime;
    if (sort_ == "tokens") query.sort = Sort::kTokens;
    if (sort_ == "size") query.sort = Sort::kSize;
    // Names begin with the first letter; the rest with the newest or the largest.
    query.descending = (query.sort != Sort::kName) != reverse_;
    for (const std::string& condition : conditions_) AddCondition(library, condition, &query);
    if (limit_ > 0) query.limit = limit_;
    if (!after_.empty()) {
      if (query.sort != Sort::kName)
        Throw(ErrorKind::kInvalidArgument, "--after goes by names: leave out --sort");
      const storage::Reference after = storage::Reference::Parse(after_);
      query.after = {after.name, after.tag};
    }
    return query;
  }

  static void PrintAsTable(Context& context, const std::vector<storage::ReferenceRow>& rows) {
    Table table({{"NAME", Align::kLeft, true, Colour::kBold},
                 {"TAG"},
                 {"ID"},
                 {"TOKENS", Align::kRight},
                 {"SIZE", Align::kRight},
                 {"MODEL", Align::kLeft, true},
                 {"AGE"}});
    for (const storage::ReferenceRow& row : rows)
      table.Add({row.name, row.tag, row.state.id.ShortHex(),
                 HumanCount(row.state.history.token_count()), HumanBytes(row.state.stored_bytes),
                 row.model_name.empty() ? row.state.model.ShortHex() : row.model_name,
                 AgeOf(row.moved_at_ms)});
    table.Print(context.out);
  }

  void PrintAsJson(Context& context, const std::vector<storage::ReferenceRow>& rows) const {
    Json states = Json::array();
    for (const storage::ReferenceRow& row : rows) {
      Json json = ReferenceJson({row.name, row.tag, row.version});
      json["moved_at"] = IsoTime(row.moved_at_ms / 1000);
      json["model_name"] = row.model_name;
      json["state"] = StateJson(row.state);
      states.push_back(std::move(json));
    }
    Json json = {{"states", states}};
    // What to give --after for the next page.
    if (limit_ > 0 && rows.size() == limit_ && sort_ == "name")
      json["next"] = rows.back().name + ":" + rows.back().tag;
    context.PrintJson(json);
  }

  std::string pattern_;
  std::string sort_ = "name";
  bool reverse_ = false;
  std::vector<std::string> conditions_;
  uint64_t limit_ = 0;
  std::string after_;
};

}  // namespace

std::unique_ptr<Command> MakeListCommand() { return std::make_unique<ListCommand>(); }

}  // namespace statelib::cli
