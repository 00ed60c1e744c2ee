// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/forget.h"

#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "cli/terminal/quantities.h"
#include "statestore/library/selection.h"

namespace statelib::cli {

namespace {

class ForgetCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &names_,
                         "Names whose older versions go; with * ? [a-z] as for list",
                         {.shown_as = "NAME[:TAG]", .required = true});
    declaration.Option("--keep-last", &policy_.keep_last, "Keep the newest N versions",
                       {.shown_as = "N"});
    declaration.Option("--keep-daily", &policy_.keep_daily,
                       "Keep the newest version of each of the newest N days that have one (UTC)",
                       {.shown_as = "N"});
    declaration.Flag("--dry-run", dry_run_, "Say what would be removed, and remove nothing");
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib forget handbook --keep-last 3 --dry-run\n"
        "  statelib forget '*' --keep-last 2 --keep-daily 7\n"
        "\n"
        "A version stays that any rule keeps. Whatever the rules are, these stay: the newest "
        "version\n"
        "of a name, the one that it stands for, and those that another tag of it stands for. "
        "Numbers\n"
        "stay as they are. gc then removes the states that no name leads to.\n");
  }

  void Run(Context& context) override {
    library::Library library = OpenLibrary(
        context, dry_run_ ? library::Library::Access::kRead : library::Library::Access::kWrite);
    Json list = Json::array();
    for (const storage::Reference& reference :
         library::Select(library, names_, library::Tags::kEvery)) {
      context.cancel.Check();
      const library::ForgottenVersions done =
          library::Forget(library, reference, policy_, dry_run_);
      if (context.options.json)
        list.push_back(ToJson(done));
      else
        Print(context, done);
    }
    if (context.options.json) context.PrintJson({{"dry_run", dry_run_}, {"names", list}});
  }

 private:
  static storage::Reference VersionOf(const library::ForgottenVersions& done, uint64_t number) {
    return {done.reference.name, done.reference.tag, number};
  }

  void Print(Context& context, const library::ForgottenVersions& done) const {
    if (context.options.quiet) {
      for (const storage::VersionRow& version : done.forgotten)
        context.PrintName(VersionOf(done, version.number).Text());
      return;
    }
    if (done.forgotten.empty()) {
      context.out.Print("{}: all of {} stay\n", done.reference.Text(),
                        HumanCount(done.kept, "version"));
      return;
    }
    std::string numbers, freed;
    for (const storage::VersionRow& version : done.forgotten)
      numbers += fmt::format("{}@{}", numbers.empty() ? "" : ", ", version.number);
    if (!done.freed_states.empty())
      freed = fmt::format("; gc {} then free {} in {} of {}", dry_run_ ? "would" : "will",
                          HumanBytes(done.freed_bytes), HumanCount(done.freed_objects, "object"),
                          HumanCount(done.freed_states.size(), "state"));
    context.out.Print("{}: {} {}, {} of {} {}{}\n", done.reference.Text(),
                      dry_run_ ? "would remove" : "removed", numbers, HumanCount(done.kept),
                      HumanCount(done.kept + done.forgotten.size(), "version"),
                      dry_run_ ? "would stay" : "stay", freed);
  }

  static Json ToJson(const library::ForgottenVersions& done) {
    Json json = {{"name", done.reference.name}, {"tag", done.reference.tag}, {"kept", done.kept}};
    json["forgotten"] = Json::array();
    for (const storage::VersionRow& version : done.forgotten)
      json["forgotten"].push_back({{"version", version.number},
                                   {"state", version.state.Hex()},
                                   {"created_at", IsoTime(version.created_at_ms / 1000)}});
    json["freed_states"] = Json::array();
    for (const storage::StateId& id : done.freed_states) json["freed_states"].push_back(id.Hex());
    json["freed_objects"] = done.freed_objects;
    json["freed_bytes"] = done.freed_bytes;
    return json;
  }

  std::vector<std::string> names_;
  library::ForgetPolicy policy_;
  bool dry_run_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeForgetCommand() { return std::make_unique<ForgetCommand>(); }

}  // namespace statelib::cli
