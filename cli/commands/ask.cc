// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/ask.h"

#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/generation_report.h"
#include "cli/input.h"
#include "cli/library_access.h"
#include "cli/passages.h"
#include "cli/terminal/quantities.h"
#include "core/base/utf8.h"

namespace statelib::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kPassages = 3;

class AskCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &name_, "The state to ask",
                         {.shown_as = "NAME[:TAG][@N]", .required = true});
    declaration.Argument("QUESTION", &question_,
                         "What to ask of what it has read; - is standard input",
                         {.shown_as = "TEXT"});
    declaration.Flag("--sources", sources_,
                     "Show the passages of the document that have most to do with the question");
    declaration.Option("--max-tokens", &options_.tokens_max,
                       "Cut the answer after this many tokens",
                       {.shown_as = "N", .shows_default = true});
    AddModelOptions(declaration, model_);
    AddComputeOptions(declaration, runtime_options_);
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib ask minutes 'Who looks after the roof?'\n"
        "  statelib ask minutes@1 'What is the budget for the library index?' --sources\n"
        "  statelib ask handbook - < question.txt\n"
        "  statelib ask minutes 'When is the next meeting?' --json | jq '[.answer, .refused]'\n");
  }

  void Run(Context& context) override {
    const std::string question = Question(context);
    library::Library library = OpenLibrary(context, library::Library::Access::kRead);
    const storage::ResolvedState state = library.Resolve(name_);
    const library::LoadedModel model =
        LoadChosenModel(context, library, model_, &state, runtime_options_);
    GenerationReport facts;
    facts.started_at = context.started_at;
    facts.model = model.identity;
    AnswerStream stream(context, AnswerStream::Form::kText);
    options_.passages_max = sources_ ? kPassages : 0;
    options_.cancel = &context.cancel;
    options_.on_first_token = [&] { facts.first_token_at = Clock::now(); };
    options_.on_text = [&](std::string_view piece) { stream.Write(piece); };
    const library::AskedAnswer answer = library::Ask(library, model, state, question, options_);
    stream.End();
    facts.origin = answer.origin;
    facts.tokens_restored = answer.tokens_restored;
    facts.restore_seconds = answer.restore_seconds;
    facts.generation = answer.generation;
    Print(context, answer, facts);
    if (answer.generation.reason == engine::StopReason::kCancelled)
      Throw(ErrorKind::kCancelled, "stopped after {}",
            HumanCount(answer.generation.tokens.size(), "token"));
  }

 private:
  std::string Question(const Context& context) const {
    if (question_.empty())
      Throw(ErrorKind::kInvalidArgument,
            "expected a state and a question, found '{}' alone: name the state to ask first, as in "
            "`statelib ask NAME 'QUESTION'` (statelib list shows the names); a question to the "
            "whole library is not answered yet",
            name_);
    if (question_ != "-") return question_;
    Input input = Input::Open("-", context.cancel);
    std::string question = input.ReadAll(kWholeTextBytesMax);
    CheckIsText(question, input.name());
    return question;
  }

  void Print(const Context& context, const library::AskedAnswer& answer,
             const GenerationReport& facts) const {
    if (sources_ && answer.passages.empty())
      context.notes.Add(
          Notes::Kind::kNote,
          fmt::format("no passage of {} has a word of the question, or its text is not kept",
                      name_));
    if (answer.generation.reason == engine::StopReason::kTokensMax)
      context.notes.Add(Notes::Kind::kWarning,
                        fmt::format("the answer was cut after {}; --max-tokens allows more",
                                    HumanCount(answer.generation.tokens.size(), "token")));
    if (context.options.json) return PrintAsJson(context, answer, facts);
    for (const library::SearchResult& passage : answer.passages) PrintPassage(context, {}, passage);
    PrintGenerationFacts(context, facts);
  }

  void PrintAsJson(const Context& context, const library::AskedAnswer& answer,
                   const GenerationReport& facts) const {
    Json json = {{"question", answer.question},
                 {"answer", answer.text},
                 {"refused", answer.refused ? Json(*answer.refused) : Json(nullptr)}};
    json.update(GenerationFactsJson(facts));
    if (sources_) {
      json["sources"] = Json::array();
      for (const library::SearchResult& passage : answer.passages)
        json["sources"].push_back(PassageJson(passage));
    }
    context.PrintJson(json);
  }

  std::string name_;
  std::string question_;
  bool sources_ = false;
  ModelChoice model_;
  library::AskOptions options_;
  engine::RuntimeOptions runtime_options_;
};

}  // namespace

std::unique_ptr<Command> MakeAskCommand() { return std::make_unique<AskCommand>(); }

}  // namespace statelib::cli
