// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/library_access.h"
#include "cli/model_facts.h"
#include "cli/terminal/progress.h"

namespace statelib::cli {

namespace {

class ModelAddCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument(
        "PATH", &directory_,
        "The folder with config.json and weights, or a GGUF or statelib-model file",
        {.shown_as = "FILE", .required = true});
    declaration.Option("--name", &name_, "What to call it (default: the folder's or file's name)",
                       {.shown_as = "MODEL"});
    AddTokenizerOption(declaration, tokenizer_);
    declaration.Option(
        "--weights", &weights_,
        "How its weights are held where no other format is asked for (default: "
        "auto, as its files have them)",
        {.shown_as = "FORMAT",
         .choices = {engine::WeightChoices().begin(), engine::WeightChoices().end()}});
    declaration.Flag("--default", make_default_, "Make it the library's default model");
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib model add ~/models/mamba-130m\n"
        "  statelib model add mamba-2.8b.Q8_0.gguf --name eight-bit\n"
        "  statelib model add ~/models/mamba-1.4b --name large --weights int8 --default\n"
        "  statelib model add ~/models/original --tokenizer ~/models/tokenizer.json\n");
  }

  void Run(Context& context) override {
    library::Library library = OpenLibrary(context, library::Library::Access::kCreate);
    library::ModelDetails model = Add(context, library);
    if (make_default_) model = library::SetDefaultModel(library, model.row.name);
    if (context.options.json) return context.PrintJson(ModelJson(model));
    if (context.options.quiet) return context.PrintName(model.row.name);
    PrintModel(context, model);
  }

 private:
  /// Errors: kInvalidArgument for the embedded model's name on another one.
  void CheckName() const {
    const std::filesystem::path path = std::filesystem::path(directory_).lexically_normal();
    const std::filesystem::path last = path.has_filename() ? path : path.parent_path();
    const library::ModelPlace embedded = EmbeddedModel();
    std::error_code none;
    if ((name_.empty() ? last.stem().string() : name_) != embedded.name ||
        std::filesystem::equivalent(path, embedded.directory, none) || none)
      return;
    Throw(ErrorKind::kInvalidArgument,
          "{} is the name of the model that comes with statelib; choose another with --name",
          embedded.name);
  }

  library::ModelDetails Add(Context& context, library::Library& library) const {
    CheckName();
    ProgressBar progress(context.err, "reading " + directory_, "byte");
    return library::AddModel(library, directory_, name_, {tokenizer_, ShippedTokenizersDirectory()},
                             weights_, &context.cancel,
                             [&](uint64_t done, uint64_t total) { progress.Update(done, total); });
  }

  std::string directory_;
  std::string name_;
  std::string tokenizer_;
  std::string weights_;
  bool make_default_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeModelAddCommand() { return std::make_unique<ModelAddCommand>(); }

}  // namespace statelib::cli
