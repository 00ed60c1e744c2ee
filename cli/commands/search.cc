// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/search.h"

#include <set>

#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "cli/passages.h"
#include "cli/terminal/quantities.h"
#include "statestore/library/selection.h"

namespace statelib::cli {

namespace {

constexpr uint64_t kHoldersMax = 100;  // of one passage
constexpr size_t kHoldersShown = 5;

class SearchCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument(
        "WORD", &words_,
        "Words that must all be there, '\"a phrase\"', 'beginn*', AND, OR, NOT, ( )",
        {.shown_as = "WORD", .required = true});
    declaration.Option("--in", &pattern_,
                       "Only states of these names, as 'minutes/*'; NAME:TAG for one tag",
                       {.shown_as = "NAME[:TAG]"});
    declaration.Flag("--all-versions", all_versions_,
                     "Older versions too, not only what a name stands for now");
    declaration.Option("--limit", &limit_, "Print at most N passages; 0 prints all",
                       {.shown_as = "N", .shows_default = true});
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib search budget library\n"
        "  statelib search '\"map room\"' OR archiv* --in 'minutes*'\n"
        "  statelib search budget --json | jq -r '.passages[].states[].name'\n");
  }

  void Run(Context& context) override {
    std::string query;
    for (const std::string& word : words_) query += (query.empty() ? "" : " ") + word;
    library::SearchOptions options;
    options.limit = limit_ > 0 ? limit_ : SIZE_MAX;
    options.states.all_versions = all_versions_;
    options.states.limit = kHoldersMax;
    const storage::ReferenceQuery states = library::QueryOf(pattern_);
    options.states.name_pattern = states.name_pattern;
    options.states.tag = states.tag;
    library::FullTextQuery(query);  // what makes no sense needs no library to say so
    const library::Library library = OpenLibrary(context, library::Library::Access::kRead);
    const std::vector<library::SearchResult> results = library::Search(library, query, options);
    if (results.empty())
      context.notes.Add(Notes::Kind::kPlain,
                        fmt::format("nothing found in {}", library.path().string()));
    if (context.options.json) return PrintAsJson(context, query, results);
    if (context.options.quiet) return PrintHolders(context, results);
    for (const library::SearchResult& result : results) PrintResult(context, result);
  }

 private:
  static std::string Name(const storage::TextHolder& holder) {
    return storage::Reference{holder.name, holder.tag, holder.version}.Text();
  }

  /// The states that hold a passage, each once, the best first.
  static void PrintHolders(const Context& context,
                           const std::vector<library::SearchResult>& results) {
    std::set<std::string> printed;
    for (const library::SearchResult& result : results)
      for (const storage::TextHolder& holder : result.holders)
        if (const std::string name = Name(holder); printed.insert(name).second)
          context.PrintName(name);
  }

  static void PrintResult(Context& context, const library::SearchResult& result) {
    std::string names;
    for (size_t i = 0; i < std::min(result.holders.size(), kHoldersShown); ++i)
      names += (i == 0 ? "" : ", ") + Name(result.holders[i]);
    if (result.holders.size() > kHoldersShown)
      names += fmt::format(" and {} more", HumanCount(result.holders.size() - kHoldersShown));
    PrintPassage(context, context.out.Paint(Colour::kBold, names) + Shown::Line("  "), result);
  }

  static void PrintAsJson(Context& context, const std::string& query,
                          const std::vector<library::SearchResult>& results) {
    Json passages = Json::array();
    for (const library::SearchResult& result : results) passages.push_back(PassageJson(result));
    context.PrintJson({{"query", query}, {"passages", std::move(passages)}});
  }

  std::vector<std::string> words_;
  std::string pattern_;
  bool all_versions_ = false;
  uint64_t limit_ = 10;
};

}  // namespace

std::unique_ptr<Command> MakeSearchCommand() { return std::make_unique<SearchCommand>(); }

}  // namespace statelib::cli
