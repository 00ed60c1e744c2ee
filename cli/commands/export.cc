// SPDX-License-Identifier: Apache-2.0
#include "cli/codec_options.h"
#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/facts.h"
#include "cli/key_access.h"
#include "cli/library_access.h"
#include "cli/output_option.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/quantities.h"
#include "cli/transfer.h"
#include "core/base/error.h"
#include "statestore/library/exchange.h"

namespace statelib::cli {

namespace {

class ExportCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("NAME", &selection_.names, "States to export; with * ? [a-z]",
                         {.shown_as = "NAME[:TAG][@N]", .required = true});
    declaration.Option("-o,--output", &file_,
                       "The bundle to write; one that exists is replaced, - is standard output",
                       {.shown_as = "FILE", .required = true});
    AddCarryingOptions(declaration, selection_, left_out_);
    AddSigningOptions(declaration, signing_);
    AddCodecOptions(declaration, codec_);
    AddModelOptions(declaration, model_);
    AddComputeOptions(declaration, runtime_options_);
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib export handbook -o handbook.statelib\n"
        "  statelib export minutes:april minutes:may -o minutes.statelib\n"
        "  statelib export handbook --all-versions --sign alice -o handbook.statelib\n"
        "  statelib export handbook --codec int8 --max-kl 1e-3 -o small.statelib\n"
        "  statelib export 'minutes*' -o minutes.statelib\n"
        "  statelib export contract --no-tokens --no-sources -o contract.statelib\n"
        "  statelib export handbook -o - | ssh host statelib import -\n");
  }

  void Run(Context& context) override {
    if (codec_.codec == "delta")
      Throw(ErrorKind::kInvalidArgument,
            "--codec delta: a delta travels with its base, so that the bundle would only grow; "
            "leave it out (a state that is stored as a delta travels as it is, with its base)");
    // What a model is measured with is kept in the library.
    library::Library library =
        OpenLibrary(context, codec_.codec == "exact" ? library::Library::Access::kRead
                                                     : library::Library::Access::kWrite);
    const std::optional<SigningKey> key = ChooseSigningKey(context, signing_);
    const Context said = ContextBeside(context, file_);
    const library::RecodedExport done = Export(context, library, key ? &*key : nullptr);
    const storage::ExportReport& report = done.report;
    if (context.options.json) {
      Json recoded = Json::array();
      for (const library::SavedState& state : done.recoded) recoded.push_back(SavedJson(state));
      return said.PrintJson({{"file", file_},
                             {"states", report.states},
                             {"objects", report.objects},
                             {"file_bytes", report.file_bytes},
                             {"recoded", recoded},
                             {"signer", key ? Json(key->public_key().Text()) : Json(nullptr)}});
    }
    said.Tell(Shown::Format("{}: {} in {}, {}, {}\n", NameOfOutput(file_),
                            HumanCount(report.states, "state"),
                            HumanCount(report.objects, "object"), HumanBytes(report.file_bytes),
                            key ? "signed by " + key->public_key().ShortText() : "not signed"),
              NameOfOutput(file_));
    for (const library::SavedState& state : done.recoded)
      said.Tell(Shown::Format("{}:{} as {}\n", state.reference.name, state.reference.tag,
                              FidelityText(*state.fidelity)),
                "");
  }

 private:
  library::RecodedExport Export(Context& context, library::Library& library,
                                const SigningKey* key) const {
    const library::CodecRequest codec = CodecRequestOf(context, codec_);
    ProgressBar bar(context.err, "exporting", "byte");
    storage::ExportOptions options;
    options.manifest = ToManifestOptions(left_out_);
    options.key = key;
    options.control = {&context.cancel,
                       [&bar](uint64_t done, uint64_t total) { bar.Update(done, total); }};
    if (codec.codec == storage::Codec::kExact)
      return {library::Export(library, selection_, file_, options), {}};
    std::optional<library::LoadedModel> model;  // of the state before, mostly the same one
    return library::ExportRecoded(
        library, selection_, file_, options, codec,
        [&](const storage::ResolvedState& state) -> const library::LoadedModel& {
          if (!model || model->identity.fingerprint != state.state.model ||
              model->runtime->profile() != state.state.profile)
            model.emplace(LoadChosenModel(context, library, model_, &state, runtime_options_));
          return *model;
        });
  }

  library::Selection selection_;
  LeftOut left_out_;
  SigningOptions signing_;
  CodecOptions codec_;
  ModelChoice model_;
  engine::RuntimeOptions runtime_options_;
  std::string file_;
};

}  // namespace

std::unique_ptr<Command> MakeExportCommand() { return std::make_unique<ExportCommand>(); }

}  // namespace statelib::cli
