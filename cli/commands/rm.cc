// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "cli/terminal/quantities.h"
#include "core/base/error.h"
#include "statestore/library/organise.h"
#include "statestore/library/selection.h"

namespace statelib::cli {

namespace {

constexpr size_t kNamesShown = 5;

class RmCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &names_,
                         "Names to remove, with all their versions; with * ? [a-z] as for list",
                         {.shown_as = "NAME[:TAG]", .required = true});
    declaration.Flag("--dry-run", dry_run_, "Say what would be removed, and remove nothing");
    declaration.Flag("-y,--yes", yes_, "Remove what a pattern finds");
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib rm handbook:draft --dry-run\n"
        "  statelib rm minutes:april minutes:may\n"
        "  statelib rm 'minutes*' --dry-run\n"
        "  statelib rm 'minutes*:draft' --yes\n");
  }

  void Run(Context& context) override {
    for (const std::string& name : names_)
      if (!library::IsPattern(name)) storage::Reference::Parse(name);
    library::Library library = OpenLibrary(
        context, dry_run_ ? library::Library::Access::kRead : library::Library::Access::kWrite);
    const std::vector<storage::Reference> references =
        library::Select(library, names_, library::Tags::kEvery);
    if (!dry_run_ && !yes_) RefusePatterns(references);
    const auto removed = library::Remove(library, references, dry_run_);
    if (context.options.json) return PrintAsJson(context, removed);
    for (const library::RemovedReference& reference : removed) {
      const std::string name = storage::Reference{reference.name, reference.tag, {}}.Text();
      std::string freed;
      if (!reference.freed_states.empty())
        freed = fmt::format("; gc {} then free {} in {} of {}", dry_run_ ? "would" : "will",
                            HumanBytes(reference.freed_bytes),
                            HumanCount(reference.freed_objects, "object"),
                            HumanCount(reference.freed_states.size(), "state"));
      context.Tell(Shown::Format("{} {} with {}{}\n", dry_run_ ? "would remove" : "removed", name,
                                 HumanCount(reference.versions, "version"), freed),
                   name);
    }
  }

 private:
  /// Errors: kInvalidArgument where a pattern has chosen what is to be removed.
  void RefusePatterns(const std::vector<storage::Reference>& references) const {
    if (std::none_of(names_.begin(), names_.end(), library::IsPattern)) return;
    std::string found;
    for (size_t i = 0; i < references.size() && i < kNamesShown; ++i)
      found += (i == 0 ? "" : ", ") + references[i].Text();
    if (references.size() > kNamesShown)
      found += fmt::format(" and {} more", HumanCount(references.size() - kNamesShown));
    Throw(ErrorKind::kInvalidArgument,
          "this would remove {}: {}; pass --yes to remove {}, --dry-run says what gc would free",
          HumanCount(references.size(), "name"), found, references.size() == 1 ? "it" : "them");
  }

  void PrintAsJson(Context& context, const std::vector<library::RemovedReference>& removed) const {
    Json json = {{"dry_run", dry_run_}, {"removed", Json::array()}};
    for (const library::RemovedReference& reference : removed) {
      Json states = Json::array();
      for (const storage::StateId& id : reference.freed_states) states.push_back(id.Hex());
      json["removed"].push_back({{"name", reference.name},
                                 {"tag", reference.tag},
                                 {"versions", reference.versions},
                                 {"state", reference.state.Hex()},
                                 {"freed_states", states},
                                 {"freed_objects", reference.freed_objects},
                                 {"freed_bytes", reference.freed_bytes}});
    }
    context.PrintJson(json);
  }

  std::vector<std::string> names_;
  bool dry_run_ = false;
  bool yes_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeRmCommand() { return std::make_unique<RmCommand>(); }

}  // namespace statelib::cli
