// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/quantities.h"
#include "cli/terminal/table.h"
#include "statestore/library/history.h"

namespace statelib::cli {

namespace {

class AtCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &name_, "A state whose tokens are kept",
                         {.shown_as = "NAME[:TAG][@N]", .required = true});
    declaration.Option("--token", &token_, "How many of its tokens to read",
                       {.shown_as = "N", .required = true});
    declaration.Option("--save-as", &save_as_, "Keep that state under this name",
                       {.shown_as = "NAME[:TAG]"});
    AddModelOptions(declaration, model_);
    AddComputeOptions(declaration, runtime_options_);
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib at handbook --token 2000\n"
        "  statelib at handbook@2 --token 2000 --save-as handbook:beginning\n");
  }

  void Run(Context& context) override {
    using Access = library::Library::Access;
    library::StateAtOptions options;
    if (!save_as_.empty()) options.save_as = storage::Reference::Parse(save_as_);
    library::Library library =
        OpenLibrary(context, options.save_as ? Access::kWrite : Access::kRead);
    const storage::ResolvedState state = library.Resolve(name_);
    const library::LoadedModel model =
        LoadChosenModel(context, library, model_, &state, runtime_options_);
    const library::StateAtResult result = [&] {
      ProgressBar bar(context.err, "reading " + NameOf(state), "token");
      options.cancel = &context.cancel;
      options.on_progress = [&bar](uint64_t done, uint64_t total) { bar.Update(done, total); };
      return library::StateAt(library, model, state, token_, options);
    }();
    const tokenizer::Tokenizer& tokenizer = model.runtime->tokenizer();
    const std::string before = tokenizer.Decode(result.before);
    const std::string after = tokenizer.Decode(result.after);
    if (context.options.json) return PrintAsJson(context, state, result, before, after);
    if (context.options.quiet)
      return context.PrintName(result.saved ? result.saved->reference.Text()
                                            : result.content.Hex());
    FactList facts;
    facts.Add("of", NameOf(state));
    facts.Add("tokens", fmt::format("{} of {}", HumanCount(result.token_count),
                                    HumanCount(state.state.history.token_count())));
    facts.Add("reused", fmt::format("{} of {}", HumanCount(result.tokens_restored),
                                    HumanCount(result.token_count, "token")));
    facts.Add("history", result.history.chain().Hex());
    facts.Add("content", result.content.Hex());
    facts.Add("before", before);
    facts.Add("after", after);
    if (result.saved)
      facts.Add("saved as", result.saved->reference.Text() + ", " + StateText(result.saved->state));
    facts.Print(context.out);
  }

 private:
  static void PrintAsJson(const Context& context, const storage::ResolvedState& state,
                          const library::StateAtResult& result, const std::string& before,
                          const std::string& after) {
    context.PrintJson({{"of", StateJson(state.state)},
                       {"tokens", result.token_count},
                       {"tokens_restored", result.tokens_restored},
                       {"tokens_read", result.tokens_read},
                       {"history", result.history.chain().Hex()},
                       {"content", result.content.Hex()},
                       {"text_before", before},
                       {"text_after", after},
                       {"saved", result.saved ? SavedJson(*result.saved) : Json(nullptr)}});
  }

  std::string name_;
  uint64_t token_ = 0;
  std::string save_as_;
  ModelChoice model_;
  engine::RuntimeOptions runtime_options_;
};

}  // namespace

std::unique_ptr<Command> MakeAtCommand() { return std::make_unique<AtCommand>(); }

}  // namespace statelib::cli
