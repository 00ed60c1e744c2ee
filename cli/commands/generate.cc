// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/explain.h"
#include "cli/generation_report.h"
#include "cli/input.h"
#include "cli/library_access.h"
#include "cli/log_probabilities.h"
#include "cli/terminal/quantities.h"
#include "core/base/utf8.h"
#include "statestore/documents/document_template.h"
#include "statestore/library/prefix.h"
#include "statestore/library/save.h"

namespace statelib::cli {

namespace {

using Clock = std::chrono::steady_clock;

class GenerateCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &name_,
                         "The state to go on from; left out with --no-state and --auto-prefix",
                         {.shown_as = "NAME[:TAG][@N]"});
    declaration.Argument(
        "PROMPT", &prompt_,
        "Text to read before the answer, with \\n for a line feed, \\t for a tab and "
        "\\\\ for a backslash; - is standard input, read as it is",
        {.shown_as = "TEXT"});
    declaration.Flag("--no-state", no_state_, "Start from nothing: PROMPT is all that is read");
    declaration.Flag("--auto-prefix", auto_prefix_,
                     "Start from the longest stored state that PROMPT begins with");
    declaration.Exclude("--auto-prefix", "--no-state");
    declaration.Option("--save-as", &save_as_, "Keep the state after the answer under this name",
                       {.shown_as = "NAME[:TAG]"});
    declaration.Option("--logprobs", &log_probabilities_,
                       "Show log-probabilities too: of each token chosen and of the N likeliest",
                       {.shown_as = "N", .at_most = kLogProbabilitiesMax});
    declaration.Flag("--stream", stream_,
                     "With --json: a line {\"piece\": TEXT} for each piece of the answer as it "
                     "comes, then the document as the last line");
    AddModelOptions(declaration, model_);
    AddSamplingOptions(declaration);
    AddComputeOptions(declaration, runtime_options_);
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib generate minutes '\\nQuestion: Who looks after the roof?\\nAnswer:'\n"
        "  statelib generate story --max-tokens 80 --temperature 0.8 --seed 7\n"
        "  statelib generate --no-state 'Once upon a time' --save-as tale\n"
        "  cat handbook.md question.txt | statelib generate --auto-prefix -\n"
        "  cat question.txt | statelib generate handbook - --stop '\\n' --json\n"
        "  statelib generate story --json --stream | jq --unbuffered -j '.piece // empty'\n"
        "  statelib generate story --max-tokens 8 --logprobs 3\n");
  }

  void Run(Context& context) override {
    options_.sampling.Validate();
    if (stream_ && !context.options.json)
      Throw(ErrorKind::kInvalidArgument,
            "--stream says how --json prints; text is printed as it comes without it");
    for (std::string& stop : options_.stop) stop = documents::Unescaped(stop);
    const std::string prompt = Prompt(context);
    const std::optional<storage::Reference> target = Target();
    if (no_state_ && !target)
      RunWithoutLibrary(context, prompt);
    else
      RunWithLibrary(context, prompt, target);
  }

 private:
  void AddSamplingOptions(Declaration& declaration) {
    engine::SamplingOptions& sampling = options_.sampling;
    const auto add = [&declaration](const char* flag, auto& value, const char* help,
                                    bool below_zero = false) {
      declaration.Option(
          flag, &value, help,
          {.shown_as = "N", .shows_default = true, .below_zero = below_zero, .group = "Sampling"});
    };
    add("--max-tokens", options_.tokens_max, "End after this many tokens");
    declaration.Option("--stop", &options_.stop,
                       "End before this text, as '\\n'; may be given several times",
                       {.shown_as = "TEXT", .group = "Sampling"});
    add("--temperature", sampling.temperature, "0 takes the likeliest token every time");
    add("--top-k", sampling.top_k, "Choose among the N likeliest tokens; 0 for all");
    add("--top-p", sampling.top_p,
        "Choose among the likeliest tokens of this probability together");
    add("--min-p", sampling.min_p, "Leave out tokens less likely than this part of the likeliest");
    add("--repetition-penalty", sampling.repetition_penalty,
        "Above 1 makes tokens seen less likely");
    add("--presence-penalty", sampling.presence_penalty,
        "Above 0 makes tokens that are in the answer less likely", true);
    add("--frequency-penalty", sampling.frequency_penalty,
        "Above 0 makes tokens less likely each time that they are chosen", true);
    add("--seed", sampling.seed, "The same seed gives the same answer");
    declaration.Flag("--ignore-end", ignore_end_, "Go on after an end-of-text token", "Sampling");
  }

  std::string Prompt(const Context& context) {
    // Without a state the first word is the prompt.
    const bool prompt_alone = no_state_ || auto_prefix_;
    const char* const flag = no_state_ ? "--no-state" : "--auto-prefix";
    if (prompt_alone && !prompt_.empty())
      Throw(ErrorKind::kInvalidArgument,
            "{} takes a prompt alone, and '{}' and another one were given; quote the prompt", flag,
            name_);
    if (!prompt_alone && name_.empty())
      Throw(ErrorKind::kInvalidArgument,
            "no state was named; name one (statelib list shows them), or start from nothing with "
            "--no-state");
    std::string prompt = prompt_alone ? name_ : prompt_;
    if (prompt == "-") {
      Input input = Input::Open("-", context.cancel);
      prompt = input.ReadAll(kWholeTextBytesMax);
      CheckIsText(prompt, input.name());
    } else {
      prompt = documents::Unescaped(prompt);
    }
    if (prompt_alone && prompt.empty())
      Throw(ErrorKind::kInvalidArgument, "{} needs a prompt: there is nothing to go on from", flag);
    return prompt;
  }

  std::optional<storage::Reference> Target() const {
    if (save_as_.empty()) return {};
    storage::Reference target = storage::Reference::Parse(save_as_);
    // Said now and not after the answer.
    if (target.version)
      Throw(ErrorKind::kInvalidArgument,
            "--save-as {}: a version cannot be written to; leave out '@{}' to add the next one",
            save_as_, *target.version);
    return target;
  }

  void RunWithoutLibrary(Context& context, const std::string& prompt) {
    const std::optional<library::Library> library = OpenLibraryIfThere(context);
    const library::ModelPlace place =
        ChooseModel(context, library ? &*library : nullptr, model_, nullptr);
    ExplainModel(context, place);
    const auto runtime = library::OpenRuntime(place, runtime_options_);
    ExplainRuntime(context, *runtime);
    engine::State state = runtime->Empty();
    GenerationReport answer;
    Generate(context, *runtime, state, TokensOfWhole(*runtime, prompt), answer);
    Finish(context, answer);
  }

  void RunWithLibrary(Context& context, const std::string& prompt,
                      const std::optional<storage::Reference>& target) {
    using Access = library::Library::Access;
    library::Library library = OpenLibrary(context, no_state_ ? Access::kCreate
                                                    : target  ? Access::kWrite
                                                              : Access::kRead);
    std::optional<storage::ResolvedState> base;
    if (!no_state_ && !auto_prefix_) base = library.Resolve(name_);
    const library::LoadedModel model =
        LoadChosenModel(context, library, model_, base ? &*base : nullptr, runtime_options_);
    GenerationReport answer;
    answer.model = model.identity;
    Start start = auto_prefix_ ? FromPrefix(library, model, prompt)
                  : base       ? Start{library::LoadState(library, model, *base),
                                 model.runtime->tokenizer().Encode(prompt)}
                               : Start{{}, TokensOfWhole(*model.runtime, prompt)};
    engine::State state = start.loaded ? std::move(start.loaded->state) : model.runtime->Empty();
    std::vector<TokenId> tokens;
    if (start.loaded) {
      answer.origin = start.loaded->origin;
      answer.restore_seconds = start.loaded->seconds;
      answer.tokens_restored = state.token_count();
      if (target)
        if (const auto kept = library::TokensOf(library, answer.origin->state.id))
          tokens = kept->Values();
    }
    Generate(context, *model.runtime, state, start.prompt, answer);
    if (target) {
      tokens.insert(tokens.end(), start.prompt.begin(), start.prompt.end());
      tokens.insert(tokens.end(), answer.generation.tokens.begin(), answer.generation.tokens.end());
      library::SaveRequest request;
      request.reference = *target;
      request.operation = storage::Operation::kGenerate;
      request.parent = answer.origin;
      request.tokens = tokens;
      answer.saved = library::SaveState(library, model, state, request);
    }
    Finish(context, answer);
  }

  /// Where the answer starts: a stored state or nothing, and the tokens to read first.
  struct Start {
    std::optional<library::LoadedState> loaded;
    std::vector<TokenId> prompt;
  };

  static std::vector<TokenId> TokensOfWhole(const engine::Runtime& runtime,
                                            const std::string& prompt) {
    return runtime.tokenizer().Encode(prompt, tokenizer::AddSpecial::kYes);
  }

  static Start FromPrefix(const library::Library& library, const library::LoadedModel& model,
                          const std::string& prompt) {
    auto prefix = library::FindPromptPrefix(library, model, prompt);
    if (!prefix) return {{}, TokensOfWhole(*model.runtime, prompt)};
    return {std::move(prefix->loaded), std::move(prefix->rest)};
  }

  // Streams the answer.
  void Generate(Context& context, engine::Runtime& runtime, engine::State& state,
                const std::vector<TokenId>& prompt, GenerationReport& answer) {
    AnswerStream stream(context, stream_ ? AnswerStream::Form::kPieces : AnswerStream::Form::kText,
                        !save_as_.empty());
    if (log_probabilities_ > 0) {
      options_.log_probabilities = log_probabilities_;
      answer.tokenizer = &runtime.tokenizer();
    }
    options_.keep_state = !save_as_.empty();
    options_.cancel = &context.cancel;
    options_.stop_at_end_of_text = !ignore_end_;
    options_.on_first_token = [&] { answer.first_token_at = Clock::now(); };
    options_.on_text = [&](std::string_view text) { stream.Write(text); };
    answer.started_at = context.started_at;
    answer.generation = engine::Generate(runtime, state, prompt, options_);
    stream.End();
  }

  static void Finish(const Context& context, const GenerationReport& answer) {
    PrintGenerationFacts(context, answer);
    if (answer.generation.reason != engine::StopReason::kCancelled) return;
    Throw(ErrorKind::kCancelled, "stopped after {}{}",
          HumanCount(answer.generation.tokens.size(), "token"),
          answer.saved ? "; they are saved as " + answer.saved->reference.Text() : "");
  }

  std::string name_;
  std::string prompt_;
  bool no_state_ = false;
  bool auto_prefix_ = false;
  bool ignore_end_ = false;
  std::string save_as_;
  uint32_t log_probabilities_ = 0;
  bool stream_ = false;
  ModelChoice model_;
  engine::GenerateOptions options_;
  engine::RuntimeOptions runtime_options_;
};

}  // namespace

std::unique_ptr<Command> MakeGenerateCommand() { return std::make_unique<GenerateCommand>(); }

}  // namespace statelib::cli
