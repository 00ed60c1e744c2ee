// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "core/base/error.h"
#include "statestore/library/organise.h"

namespace statelib::cli {

namespace {

class TagCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument(
        "NAME", &words_,
        "States' names, with * ? [a-z] as for list, and last the tag to set on them",
        {.shown_as = "NAME[:TAG][@N] TAG", .required = true});
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib tag handbook reviewed\n"
        "  statelib tag handbook@2 latest\n"
        "  statelib tag handbook 'minutes/*' reviewed\n"
        "  statelib tag 'minutes/*:draft' reviewed\n"
        "\n"
        "A pattern without a tag means the state that each name stands for as 'latest'.\n");
  }

  void Run(Context& context) override {
    if (words_.size() < 2)
      Throw(ErrorKind::kInvalidArgument, "tag needs a state's name and a tag; found '{}' alone",
            words_.empty() ? "" : words_.front());
    const std::string tag = words_.back();
    words_.pop_back();
    storage::CheckTag(tag);
    library::Library library = OpenLibrary(context, library::Library::Access::kWrite);
    const auto tagged = library::SetTag(library, words_, tag);
    if (context.options.json) {
      if (tagged.size() == 1) return context.PrintJson(SavedJson(tagged.front().saved));
      Json list = Json::array();
      for (const library::TaggedState& one : tagged) list.push_back(SavedJson(one.saved));
      return context.PrintJson({{"tagged", list}});
    }
    for (const library::TaggedState& one : tagged)
      context.Tell(Shown::Format("{} is {} now\n", one.saved.reference.Text(), one.from.Text()),
                   one.saved.reference.Text());
  }

 private:
  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Command> MakeTagCommand() { return std::make_unique<TagCommand>(); }

}  // namespace statelib::cli
