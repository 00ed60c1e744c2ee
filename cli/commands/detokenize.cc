// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <limits>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/library_access.h"
#include "cli/terminal/display_width.h"
#include "core/base/json.h"
#include "core/base/printable.h"

namespace statelib::cli {

namespace {

constexpr size_t kLineBytesMax = size_t{1} << 28;

std::vector<TokenId> ParseIds(std::string_view line, const std::string& place) {
  std::vector<TokenId> ids;
  const char* at = line.data();
  const char* const end = at + line.size();
  while (true) {
    while (at != end && (*at == ' ' || *at == '\t' || *at == ',' || *at == '\r')) ++at;
    if (at == end) return ids;
    TokenId id = 0;
    const auto [after, error] = std::from_chars(at, end, id);
    if (error != std::errc() || id < 0)
      Throw(ErrorKind::kInvalidArgument,
            "{}: '{}' is no token id; give whole numbers with spaces between them, or JSON lines "
            "{{\"ids\": [...]}}",
            place, Shorten(std::string_view(at, end), 24));
    ids.push_back(id);
    at = after;
  }
}

std::vector<TokenId> ParseJsonIds(const std::string& line, const std::string& place) {
  try {
    const JsonDocument document = JsonDocument::Parse(AsBytes(line), place);
    const JsonValue root = document.root();
    std::vector<TokenId> ids;
    (root.IsArray() ? root : root["ids"]).ForEach([&](const JsonValue& id) {
      ids.push_back(static_cast<TokenId>(id.Int(0, std::numeric_limits<TokenId>::max())));
    });
    return ids;
  } catch (const Error& error) {
    // What was typed or piped in is an argument, not a stored file that went bad.
    Throw(ErrorKind::kInvalidArgument, "{}; give [...] or {{\"ids\": [...]}}", error.what());
  }
}

class DetokenizeCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument(
        "FILE", &file_,
        "Lines of token ids: numbers, or JSON as `tokenize --json` prints; - is standard "
        "input",
        {.shown_as = "FILE", .shows_default = true});
    AddModelOptions(declaration, model_);
    AddLibraryOption(declaration, shared);
    declaration.Flag("--skip-special", skip_special_, "Leave out special tokens as <|endoftext|>");
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  echo 510 11464 310 | statelib detokenize\n"
        "  statelib tokenize --json < texts.txt | statelib detokenize --json\n");
  }

  void Run(Context& context) override {
    const auto tokenizer = LoadTokenizer(context, model_);
    Input input = Input::Open(file_, context.cancel);
    uint64_t number = 0;
    while (const auto line = input.ReadLine(kLineBytesMax)) {
      context.cancel.Check();
      const std::string place = fmt::format("{} line {}", input.name(), ++number);
      const bool is_json = line->starts_with('{') || line->starts_with('[');
      const std::string text = tokenizer->Decode(
          is_json ? ParseJsonIds(*line, place) : ParseIds(*line, place), skip_special_);
      if (context.options.json)
        context.PrintJson({{"text", text}});
      else
        context.out.WriteBytes(
            (context.out.is_terminal() ? Printable(text, LineBreaks::kKeep) : text) + "\n");
    }
  }

 private:
  std::string file_ = "-";
  ModelChoice model_;
  bool skip_special_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeDetokenizeCommand() { return std::make_unique<DetokenizeCommand>(); }

}  // namespace statelib::cli
