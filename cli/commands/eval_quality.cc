// SPDX-License-Identifier: Apache-2.0
#include "core/engine/quality.h"

#include <algorithm>

#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/environment.h"
#include "cli/explain.h"
#include "cli/input.h"
#include "cli/library_access.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/quantities.h"
#include "cli/terminal/table.h"
#include "core/base/error.h"
#include "core/base/utf8.h"

namespace statelib::cli {

namespace fs = std::filesystem;

namespace {

class EvalQualityCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Option("--text", &files_,
                       "Text to predict; may be given several times (default: the example "
                       "documents)",
                       {.shown_as = "FILE"});
    declaration.Option("--reference", &reference_,
                       "The model whose f32 predictions are right, with the same tokens (default: "
                       "the model itself)",
                       {.shown_as = "MODEL"});
    AddModelOptions(declaration, choice_);
    AddComputeOptions(declaration, runtime_options_);
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib eval quality --weights int8\n"
        "  statelib eval quality --weights int4 --text handbook.md --json\n"
        "  statelib eval quality --model demo-q4_k.gguf --reference demo\n");
  }

  void Run(Context& context) override {
    const std::optional<library::Library> library = OpenLibraryIfThere(context);
    const library::Library* names = library ? &*library : nullptr;
    const library::ModelPlace place = ChooseModel(context, names, choice_, nullptr);
    const library::ModelPlace reference_place =
        reference_.empty() ? place
                           : ChooseModel(context, names, {reference_, choice_.tokenizer}, nullptr);
    engine::RuntimeOptions reference_options = runtime_options_;
    reference_options.weights = "f32";
    const auto reference = library::OpenRuntime(reference_place, reference_options);
    if (runtime_options_.weights.empty()) runtime_options_.weights = place.weights;
    const auto candidate = engine::Runtime::OpenWithoutTokenizer(place.directory, runtime_options_);
    ExplainModel(context, place);
    ExplainRuntime(context, *candidate);

    std::vector<std::vector<TokenId>> texts;
    uint64_t tokens = 0;
    for (const std::string& file : Files()) {
      Input input = Input::Open(file, context.cancel);
      texts.push_back(reference->tokenizer().Encode(input.ReadAll(kWholeTextBytesMax)));
      tokens += texts.back().size();
    }
    ProgressBar bar(context.err, "comparing predictions", "token");
    engine::AdvanceControl control;
    control.cancel = &context.cancel;
    control.on_progress = [&](uint64_t done) { bar.Update(done, tokens); };
    const engine::Quality quality = engine::CompareQuality(*reference, *candidate, texts, control);
    if (context.options.json) {
      context.PrintJson({{"model", place.directory.string()},
                         {"reference", reference_place.directory.string()},
                         {"profile", candidate->profile()},
                         {"predictions", quality.predictions},
                         {"kl", quality.kl},
                         {"kl_largest", quality.kl_largest},
                         {"top1_agreement", quality.top1_agreement},
                         {"perplexity", quality.perplexity},
                         {"reference_perplexity", quality.reference_perplexity}});
      return;
    }
    FactList facts;
    facts.Add("profile", candidate->profile());
    facts.Add("predictions", HumanCount(quality.predictions));
    facts.Add("KL divergence",
              fmt::format("{:.3e} nats, largest {:.3e}", quality.kl, quality.kl_largest));
    facts.Add("same likeliest token", fmt::format("{:.2f} %", 100 * quality.top1_agreement));
    facts.Add("perplexity", fmt::format("{:.4f}, in f32 {:.4f}", quality.perplexity,
                                        quality.reference_perplexity));
    facts.Print(context.out);
  }

 private:
  std::vector<std::string> Files() const {
    if (!files_.empty()) return files_;
    std::vector<std::string> files;
    for (const fs::directory_entry& entry : fs::directory_iterator(ExampleDocumentsDirectory()))
      files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    return files;
  }

  std::vector<std::string> files_;
  std::string reference_;
  ModelChoice choice_;
  engine::RuntimeOptions runtime_options_;
};

}  // namespace

std::unique_ptr<Command> MakeEvalQualityCommand() { return std::make_unique<EvalQualityCommand>(); }

}  // namespace statelib::cli
