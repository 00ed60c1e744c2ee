// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/library_access.h"
#include "cli/terminal/printable.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/quantities.h"
#include "cli/terminal/table.h"
#include "core/base/error.h"
#include "core/engine/golden.h"

namespace statelib::cli {

namespace fs = std::filesystem;

namespace {

constexpr size_t kLayerRowsMax = 8;

bool IsOfALayer(const engine::GoldenError& error) { return error.what.starts_with("layer "); }

double Ratio(const engine::GoldenError& error) { return error.largest / error.allowed; }

// What concerns the whole model goes first; not-a-number is the largest of all.
bool GoesBefore(const engine::GoldenError& a, const engine::GoldenError& b) {
  if (IsOfALayer(a) != IsOfALayer(b)) return IsOfALayer(b);
  if (!(Ratio(b) == Ratio(b))) return false;
  return !(Ratio(a) <= Ratio(b));
}

class ModelCheckCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("MODEL", &model_,
                         "A checkpoint's folder or file, or a model's name in the library "
                         "(default: the demo model)",
                         {.shown_as = "MODEL"});
    declaration.Option("--golden", &golden_,
                       "The recorded values (default: golden.safetensors in the folder)",
                       {.shown_as = "FILE"});
    declaration.Option("--tolerance", &tolerance_, "Largest absolute error allowed in logits",
                       {.shown_as = "X", .shows_default = true});
    declaration.Option("--cache-tolerance", &cache_tolerance_,
                       "Largest absolute error allowed in states (default: a tenth of --tolerance)",
                       {.shown_as = "X"});
    declaration.Option("--set", &facts_,
                       "Take a fact of the configuration as given here, as mixer_norm_groups=1",
                       {.shown_as = "KEY=VALUE"});
    AddComputeOptions(declaration, runtime_options_);
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib model check\n"
        "  statelib model check models/mamba-130m --tolerance 1e-3\n"
        "  statelib model check models/mamba2 --set mixer_norm_groups=1\n"
        "  statelib model check tiny.gguf --golden recorded.safetensors --json\n");
  }

  void Run(Context& context) override {
    const fs::path directory = model_.empty() ? DemoModelDirectory() : PlaceOf(context);
    const fs::path golden = golden_.empty() ? GoldenOf(directory) : fs::path(golden_);
    for (const std::string& fact : facts_)
      runtime_options_.config_facts.push_back(checkpoint::ParseConfigFact(fact));
    // Recorded token ids need no tokenizer, and test checkpoints have none.
    const auto runtime = engine::Runtime::OpenWithoutTokenizer(directory, runtime_options_);
    engine::GoldenReport report = Compare(context, *runtime, golden);
    std::sort(report.errors.begin(), report.errors.end(), GoesBefore);
    if (context.options.json)
      PrintReportAsJson(context, *runtime, directory, report);
    else
      PrintReport(context, *runtime, directory, report);
    if (report.passed()) return;
    Throw(ErrorKind::kMismatch,
          "{} does not compute what {} records; the weights, the golden file or this build is "
          "wrong, or --tolerance is too tight",
          directory.string(), golden.string());
  }

 private:
  fs::path PlaceOf(const Context& context) const {
    const auto library = OpenLibraryIfThere(context);
    return ChooseModel(library ? &*library : nullptr, {model_, ""}, nullptr).directory;
  }

  engine::GoldenReport Compare(Context& context, engine::Runtime& runtime,
                               const fs::path& golden) const {
    ProgressBar progress(context.err, "checking " + Printable(golden.string(), LineBreaks::kEscape),
                         "token");
    return engine::CompareWithGolden(
        runtime, golden, tolerance_, cache_tolerance_.value_or(tolerance_ / 10), &context.cancel,
        [&](uint64_t done, uint64_t total) { progress.Update(done, total); });
  }

  /// The golden file in a checkpoint's folder, or in the folder of its file.
  static fs::path GoldenOf(const fs::path& checkpoint) {
    std::error_code ignored;
    const bool is_folder = fs::is_directory(checkpoint, ignored);
    return (is_folder ? checkpoint : checkpoint.parent_path()) / "golden.safetensors";
  }

  static void PrintReport(Context& context, const engine::Runtime& runtime,
                          const fs::path& directory, const engine::GoldenReport& report) {
    FactList facts;
    facts.Add("model", directory.string());
    facts.Add("architecture", runtime.info().architecture);
    facts.Add("backend", runtime.backend_name());
    facts.Add("prompt", HumanCount(report.prompt_tokens, "token"));
    facts.Print(context.out);
    context.out.Write("\n");
    Table table({{"quantity", Align::kLeft},
                 {"largest error", Align::kRight},
                 {"allowed", Align::kRight},
                 {"", Align::kLeft}});
    size_t layer_rows = 0;
    for (const engine::GoldenError& error : report.errors) {
      // A layer that fails is shown however many there are.
      if (IsOfALayer(error) && ++layer_rows > kLayerRowsMax && error.passed()) continue;
      table.Add({error.what, fmt::format("{:.2e}", error.largest),
                 fmt::format("{:.2e}", error.allowed), error.passed() ? "ok" : "TOO LARGE"});
    }
    const size_t left_out = report.errors.size() - table.size();
    if (report.greedy_tokens > 0)
      table.Add({"greedy tokens",
                 fmt::format("{} differ", report.greedy_tokens - report.greedy_tokens_matched), "0",
                 report.greedy_tokens_matched == report.greedy_tokens ? "ok" : "DIFFER"});
    table.Print(context.out);
    if (left_out > 0) context.out.Print("and {} more with smaller errors\n", left_out);
    context.out.Print("{}\n", report.passed() ? context.out.Paint(Colour::kGreen, "passed")
                                              : context.out.Paint(Colour::kRed, "FAILED"));
  }

  static void PrintReportAsJson(Context& context, const engine::Runtime& runtime,
                                const fs::path& directory, const engine::GoldenReport& report) {
    Json errors = Json::array();
    for (const engine::GoldenError& error : report.errors)
      errors.push_back({{"what", error.what},
                        {"largest", error.largest},
                        {"allowed", error.allowed},
                        {"passed", error.passed()}});
    context.PrintJson({{"model", directory.string()},
                       {"architecture", runtime.info().architecture},
                       {"backend", runtime.backend_name()},
                       {"profile", runtime.profile()},
                       {"prompt_tokens", report.prompt_tokens},
                       {"errors", errors},
                       {"greedy_tokens", report.greedy_tokens},
                       {"greedy_tokens_matched", report.greedy_tokens_matched},
                       {"passed", report.passed()}});
  }

  std::string model_;
  std::string golden_;
  double tolerance_ = 1e-4;
  std::optional<double> cache_tolerance_;
  std::vector<std::string> facts_;
  engine::RuntimeOptions runtime_options_;
};

}  // namespace

std::unique_ptr<Command> MakeModelCheckCommand() { return std::make_unique<ModelCheckCommand>(); }

}  // namespace statelib::cli
