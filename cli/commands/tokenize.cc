// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/library_access.h"
#include "core/base/json.h"
#include "core/base/utf8.h"

namespace statelib::cli {

namespace {

class TokenizeCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("FILE", &file_, "Text to read, - is standard input",
                         {.shown_as = "FILE", .shows_default = true});
    declaration.Option("--text", &text_, "Use this text instead of a file", {});
    AddModelOptions(declaration, model_);
    AddLibraryOption(declaration, shared);
    declaration.Flag("--whole", whole_, "Take the whole input as one text, not line by line");
    declaration.Flag("--lines-json", lines_json_, "Each line is a JSON object {\"text\": ...}");
    declaration.Exclude("--lines-json", "--text");
    declaration.Exclude("--lines-json", "--whole");
    declaration.Flag("--add-special", add_special_,
                     "Add the tokens that the model's tokenizer puts around a whole text");
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib tokenize --text 'The budget is 1800 dollars.'\n"
        "  statelib tokenize --whole handbook.md | wc -w\n"
        "  statelib tokenize --lines-json --json < texts.jsonl > ids.jsonl\n");
  }

  void Run(Context& context) override {
    const auto tokenizer = LoadTokenizer(context, model_);
    if (text_) return Print(context, *tokenizer, *text_);
    Input input = Input::Open(file_, context.cancel);
    if (whole_) return Print(context, *tokenizer, input.ReadAll(kWholeTextBytesMax));
    uint64_t number = 0;
    while (const auto line = input.ReadLine(kWholeTextBytesMax)) {
      ++number;
      context.cancel.Check();
      Print(context, *tokenizer, lines_json_ ? TextOf(*line, input.name(), number) : *line);
    }
  }

 private:
  static std::string TextOf(const std::string& line, const std::string& input_name,
                            uint64_t number) {
    try {
      const JsonDocument document =
          JsonDocument::Parse(AsBytes(line), fmt::format("{} line {}", input_name, number));
      return std::string(document.root()["text"].String());
    } catch (const Error& error) {
      // What was typed or piped in is an argument, not a stored file that went bad.
      Throw(ErrorKind::kInvalidArgument, "{}; --lines-json wants {{\"text\": ...}} on each line",
            error.what());
    }
  }

  void Print(Context& context, const tokenizer::Tokenizer& tokenizer, const std::string& text) {
    const std::vector<TokenId> ids = tokenizer.Encode(
        text, add_special_ ? tokenizer::AddSpecial::kYes : tokenizer::AddSpecial::kNo);
    if (context.options.json)
      context.PrintJson({{"ids", ids}, {"decoded", tokenizer.Decode(ids)}});
    else
      context.out.Print("{}\n", fmt::join(ids, " "));
  }

  std::string file_ = "-";
  std::optional<std::string> text_;
  ModelChoice model_;
  bool whole_ = false;
  bool lines_json_ = false;
  bool add_special_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeTokenizeCommand() { return std::make_unique<TokenizeCommand>(); }

}  // namespace statelib::cli
