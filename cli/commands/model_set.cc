// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/library_access.h"
#include "cli/model_facts.h"
#include "statestore/documents/document_template.h"
#include "statestore/library/prompt_card.h"

namespace statelib::cli {

namespace {

class ModelSetCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("MODEL", &name_, "A model's name, or the first digits of its fingerprint",
                         {.shown_as = "MODEL", .required = true});
    declaration.Argument(
        "KEY", &key_,
        "prompt.question, how a question is put, with {question} where it goes; prompt.stop, the "
        "text before which an answer ends; prompt.refusal, the whole answer of a model that has "
        "found nothing",
        {.shown_as = "KEY", .required = true});
    declaration.Argument("VALUE", &value_,
                         "The text, with \\n for a line feed, \\t for a tab and \\\\ for a "
                         "backslash; '' for none",
                         {.shown_as = "TEXT"});
    declaration.Flag("--unset", unset_, "Let the model's own card count again");
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib model set large prompt.question '\\nQuestion: {question}\\nAnswer:'\n"
        "  statelib model set large prompt.stop '\\n'\n"
        "  statelib model set large prompt.refusal 'I do not know.'\n"
        "  statelib model set demo prompt.question --unset\n");
  }

  void Run(Context& context) override {
    if (unset_ == value_.has_value())
      Throw(ErrorKind::kInvalidArgument, "expected a value or --unset, found {}",
            unset_ ? "both" : "neither");
    std::optional<std::string> text;
    if (value_) text = documents::Unescaped(*value_);
    library::Library library = OpenLibrary(context, library::Library::Access::kWrite);
    const library::ModelDetails model = library::SetPrompt(library, name_, key_, text);
    if (context.options.json) return context.PrintJson(ModelJson(model));
    if (context.options.quiet) return context.PrintName(model.row.name);
    PrintPrompt(context, model);
  }

 private:
  std::string name_;
  std::string key_;
  std::optional<std::string> value_;
  bool unset_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeModelSetCommand() { return std::make_unique<ModelSetCommand>(); }

}  // namespace statelib::cli
