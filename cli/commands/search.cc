// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/search.h"

#include <set>

#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "cli/terminal/quantities.h"

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
                       "Only states of these names, as 'minutes/*'; ':TAG' for one tag",
                       {.shown_as = "NAME[:TAG]"});
    declaration.Flag("--all-versions", all_versions_,
                     "Older versions too, not only what a name stands for now");
    declaration.Option("--limit", &limit_, "The most passages to show",
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
    options.limit = limit_;
    options.states.all_versions = all_versions_;
    options.states.limit = kHoldersMax;
    const size_t colon = pattern_.find(':');
    options.states.name_pattern = pattern_.substr(0, colon);
    if (colon != std::string::npos) options.states.tag = pattern_.substr(colon + 1);
    library::FullTextQuery(query);  // what makes no sense needs no library to say so
    const library::Library library = OpenLibrary(context, library::Library::Access::kRead);
    const std::vector<library::SearchResult> results = library::Search(library, query, options);
    if (context.options.json) return PrintAsJson(context, query, results);
    if (context.options.quiet) return PrintHolders(context, results);
    for (const library::SearchResult& result : results) PrintResult(context, result);
    if (results.empty()) context.err.Print("nothing found in {}\n", library.path().string());
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
    const storage::TextHolder& first = result.holders.front();
    context.out.Print("{}  {}, byte {}, token {}\n", context.out.Paint(Colour::kBold, names),
                      first.source, HumanCount(result.byte), HumanCount(first.first_token));
    context.out.Print("    {}\n", Marked(context, result));
  }

  /// The snippet as one line with its matches in colour, or in brackets where there is none.
  static Shown Marked(const Context& context, const library::SearchResult& result) {
    Shown line;
    size_t done = 0;
    const auto part = [&](size_t from, size_t to) {
      std::string text = result.snippet.substr(from, to - from);
      std::replace(text.begin(), text.end(), '\n', ' ');
      return text;
    };
    for (const auto& [from, to] : result.matches) {
      const Shown match = Shown::Line(part(from, to));
      const Shown painted = context.out.Paint(Colour::kYellow, part(from, to));
      line += Shown::Line(part(done, from)) +
              (painted == match ? Shown::Format("[{}]", match) : painted);
      done = to;
    }
    return line + Shown::Line(part(done, result.snippet.size()));
  }

  static void PrintAsJson(Context& context, const std::string& query,
                          const std::vector<library::SearchResult>& results) {
    Json passages = Json::array();
    for (const library::SearchResult& result : results) {
      Json states = Json::array();
      for (const storage::TextHolder& holder : result.holders)
        states.push_back({{"name", holder.name},
                          {"tag", holder.tag},
                          {"version", holder.version},
                          {"id", holder.state.Hex()},
                          {"source", holder.source},
                          {"token", holder.first_token}});
      passages.push_back({{"snippet", result.snippet},
                          {"matches", result.matches},
                          {"byte", result.byte},
                          {"rank", result.rank},
                          {"states", std::move(states)}});
    }
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
