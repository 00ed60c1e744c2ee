// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/library_access.h"
#include "core/base/printable.h"
#include "core/tokenizer/stream_decoder.h"
#include "statestore/library/load.h"

namespace statelib::cli {

namespace {

/// The tokens of the text itself: without those that the tokenizer puts around a whole text.
RunOf<TokenId> WithoutSpecials(const tokenizer::Tokenizer& tokenizer, RunOf<TokenId> tokens) {
  const auto [before, after] = tokenizer.Specials();
  const auto is = [](const RunOf<TokenId>& part, std::span<const TokenId> specials) {
    return std::ranges::equal(part.Values(), specials);
  };
  if (is(tokens.First(before.size()), before)) tokens = tokens.Part(before.size());
  if (is(tokens.Last(after.size()), after)) tokens = tokens.First(tokens.size() - after.size());
  return tokens;
}

class CatCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &name_, "A state whose tokens are kept",
                         {.shown_as = "NAME[:TAG][@N]", .required = true});
    AddModelOptions(declaration, model_);
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib cat handbook\n"
        "  statelib cat minutes@1 > minutes.md\n"
        "\n"
        "The text comes from the tokens, byte for byte where the tokenizer loses nothing, as "
        "those\n"
        "of GPT-NeoX and most others. A terminal gets no control characters, a file every byte.\n");
  }

  void Run(Context& context) override {
    const library::Library library = OpenLibrary(context, library::Library::Access::kRead);
    const storage::ResolvedState state = library.Resolve(name_);
    const RunOf<TokenId> tokens = library::TokensOrThrow(library, state);
    const auto tokenizer = TokenizerFor(context, library, state);
    tokenizer::StreamDecoder decoder(*tokenizer);
    std::string text;
    const auto write = [&](const std::string& piece) {
      if (context.options.json) {
        text += piece;
        return;
      }
      context.out.WriteBytes(context.out.is_terminal() ? Printable(piece, LineBreaks::kKeep)
                                                       : piece);
    };
    WithoutSpecials(*tokenizer, tokens).ForEach([&](std::span<const TokenId> piece) {
      context.cancel.Check();
      for (const TokenId token : piece) write(decoder.Push(token));
    });
    write(decoder.Flush());
    if (context.options.json)
      context.PrintJson({{"state", StateJson(state.state)}, {"text", std::move(text)}});
  }

 private:
  std::unique_ptr<tokenizer::Tokenizer> TokenizerFor(const Context& context,
                                                     const library::Library& library,
                                                     const storage::ResolvedState& state) const {
    return OpenTokenizer(ChooseModel(context, &library, model_, &state));
  }

  std::string name_;
  ModelChoice model_;
};

}  // namespace

std::unique_ptr<Command> MakeCatCommand() { return std::make_unique<CatCommand>(); }

}  // namespace statelib::cli
