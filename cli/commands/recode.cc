// SPDX-License-Identifier: Apache-2.0
#include "cli/codec_options.h"
#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/facts.h"
#include "cli/library_access.h"

namespace statelib::cli {

namespace {

class RecodeCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &name_, "A state's name, or the first digits of its id",
                         {.shown_as = "NAME[:TAG][@N]", .required = true});
    AddResultOption(declaration, target_);
    AddCodecOptions(declaration, codec_);
    AddModelOptions(declaration, model_);
    AddComputeOptions(declaration, runtime_options_);
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib recode handbook --codec int8\n"
        "  statelib recode handbook --codec int8 --as handbook:small --max-kl 1e-3\n"
        "  statelib recode handbook --codec bf16 --probe questions.txt --json\n"
        "  statelib recode handbook --codec delta\n"
        "  statelib recode handbook --codec exact   # a delta, whole again\n");
  }

  void Run(Context& context) override {
    const library::CodecRequest codec = CodecRequestOf(context, codec_);
    library::Library library = OpenLibrary(context, library::Library::Access::kWrite);
    const storage::ResolvedState base = library.Resolve(name_);
    const storage::Reference target = ResultReference(base, name_, target_);
    const library::LoadedModel model =
        LoadChosenModel(context, library, model_, &base, runtime_options_);
    PrintSaved(context, library::Recode(library, model, base, target, codec));
  }

 private:
  std::string name_;
  std::string target_;
  CodecOptions codec_;
  ModelChoice model_;
  engine::RuntimeOptions runtime_options_;
};

}  // namespace

std::unique_ptr<Command> MakeRecodeCommand() { return std::make_unique<RecodeCommand>(); }

}  // namespace statelib::cli
