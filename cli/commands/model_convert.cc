// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/library_access.h"
#include "cli/output_option.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/quantities.h"
#include "core/base/error.h"
#include "core/model/architectures.h"
#include "core/model/convert.h"

namespace statelib::cli {

namespace {

using model::ModelForm;
using model_files::ElementType;

ModelForm FormOf(const std::string& name) {
  if (name == "safetensors") return ModelForm::kHuggingFace;
  return name == "gguf" ? ModelForm::kGguf : ModelForm::kModelFile;
}

std::optional<ElementType> WeightsOf(const std::string& name) {
  if (name == "f32") return ElementType::kF32;
  if (name == "bf16") return ElementType::kBF16;
  if (name == "f16") return ElementType::kF16;
  if (name == "int8") return ElementType::kQ8_0;
  return std::nullopt;
}

class ModelConvertCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("IN", &from_, "A folder or file, or a model's name",
                         {.shown_as = "IN", .required = true});
    declaration.Argument("OUT", &to_,
                         "The file, or for safetensors the folder, to write; - is standard output",
                         {.shown_as = "OUT", .required = true});
    declaration.Option("--to", &form_,
                       "safetensors: a Hugging Face folder; gguf: a file for llama.cpp too; "
                       "statelib: everything as it is, in one file",
                       {.required = true, .choices = {"safetensors", "gguf", "statelib"}});
    declaration.Option("--weights", &weights_,
                       "The type of matrices (default: as they are); int8 is GGUF's Q8_0",
                       {.choices = {"f32", "bf16", "f16", "int8"}});
    declaration.Option("--set", &facts_,
                       "Set a fact in OUT's configuration, as mixer_norm_groups=1",
                       {.shown_as = "KEY=VALUE"});
    declaration.Flag("--force", replace_, "Replace what is at OUT");
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib model convert ~/models/mamba-130m mamba-130m.gguf --to gguf --weights int8\n"
        "  statelib model convert mamba-2.8b.gguf ~/models/mamba-2.8b --to safetensors\n"
        "  statelib model convert demo demo.statelib-model --to statelib\n");
  }

  void Run(Context& context) override {
    const auto library = OpenLibraryIfThere(context);
    const library::ModelPlace place =
        ChooseModel(context, library ? &*library : nullptr, {from_, ""}, nullptr);
    std::vector<model_files::ConfigFact> facts;
    for (const std::string& fact : facts_) facts.push_back(model_files::ParseConfigFact(fact));
    const auto model_files = model::OpenModelFiles(place.directory, facts);
    const Context said = ContextBeside(context, to_);
    const model::Conversion conversion = Convert(context, *model_files);
    for (const std::string& note : conversion.notes) context.notes.Add(Notes::Kind::kNote, note);
    if (context.options.json)
      return said.PrintJson({{"from", place.directory.string()},
                             {"to", to_},
                             {"form", form_},
                             {"tensor_bytes", conversion.tensor_bytes}});
    said.Tell(Shown::Format("{}: {} of weights\n", NameOfOutput(to_),
                            HumanBytes(conversion.tensor_bytes)),
              NameOfOutput(to_));
  }

 private:
  model::Conversion Convert(Context& context, const model_files::ModelFiles& model_files) const {
    ProgressBar progress(context.err, "writing " + NameOfOutput(to_), "byte");
    model::ConvertOptions options;
    options.form = FormOf(form_);
    options.weights = WeightsOf(weights_);
    options.replace = replace_;
    options.cancel = &context.cancel;
    options.on_progress = [&](uint64_t done, uint64_t total) { progress.Update(done, total); };
    return model::Convert(model_files, to_, options);
  }

  std::string from_;
  std::string to_;
  std::string form_;
  std::string weights_;
  std::vector<std::string> facts_;
  bool replace_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeModelConvertCommand() {
  return std::make_unique<ModelConvertCommand>();
}

}  // namespace statelib::cli
