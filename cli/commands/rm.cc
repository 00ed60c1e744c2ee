// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "cli/terminal/quantities.h"
#include "statestore/library/organise.h"

namespace statelib::cli {

namespace {

class RmCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &names_, "Names to remove, with all their versions",
                         {.shown_as = "NAME[:TAG]", .required = true});
    declaration.Flag("--dry-run", dry_run_, "Say what would be removed, and remove nothing");
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib rm handbook:draft --dry-run\n"
        "  statelib rm minutes:april minutes:may\n");
  }

  void Run(Context& context) override {
    std::vector<storage::Reference> references;
    for (const std::string& name : names_) references.push_back(storage::Reference::Parse(name));
    library::Library library = OpenLibrary(
        context, dry_run_ ? library::Library::Access::kRead : library::Library::Access::kWrite);
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
};

}  // namespace

std::unique_ptr<Command> MakeRmCommand() { return std::make_unique<RmCommand>(); }

}  // namespace statelib::cli
