// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/library_access.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/quantities.h"
#include "cli/terminal/table.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/engine/golden.h"

namespace statelib::cli {

namespace fs = std::filesystem;

namespace {

constexpr size_t kLayerRowsMax = 8;
constexpr int kCuts = 3;

bool IsOfALayer(const engine::GoldenError& error) { return error.what.starts_with("layer "); }

double Ratio(const engine::GoldenError& error) { return error.largest / error.allowed; }

// What concerns the whole model goes first; not-a-number is the largest of all.
bool GoesBefore(const engine::GoldenError& a, const engine::GoldenError& b) {
  if (IsOfALayer(a) != IsOfALayer(b)) return IsOfALayer(b);
  if (std::isnan(Ratio(a)) || std::isnan(Ratio(b))) return !std::isnan(Ratio(b));
  return Ratio(a) > Ratio(b);
}

const char* VerdictOn(const engine::GoldenError& error) {
  if (error.passed()) return "ok";
  return std::isnan(error.largest) ? "NOT A NUMBER" : "TOO LARGE";
}

class ModelCheckCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    declaration.Argument("MODEL", &model_,
                         "A folder or file, or a model's name in the library "
                         "(default: the demo model)",
                         {.shown_as = "MODEL"});
    declaration.Option("--golden", &golden_,
                       "The recorded values (default: golden.safetensors in the folder); where "
                       "there is a golden_long.safetensors beside it, its longer prompt is read in "
                       "calls of random lengths too",
                       {.shown_as = "FILE"});
    declaration.Option("--tolerance", &tolerance_,
                       "Largest error allowed in logits, relative to the largest one recorded "
                       "where that exceeds 1",
                       {.shown_as = "X", .shows_default = true});
    declaration.Option("--cache-tolerance", &cache_tolerance_,
                       "The same for each part of the state (default: a fifth of --tolerance)",
                       {.shown_as = "X"});
    declaration.Option("--seed", &seed_, "Cuts the longer prompt as a run that printed this seed",
                       {.shown_as = "N"});
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
      runtime_options_.config_facts.push_back(model_files::ParseConfigFact(fact));
    // What was recorded for a file of block types was computed with its decoded weights.
    if (runtime_options_.weights.empty()) runtime_options_.weights = "f32";
    // Recorded token ids need no tokenizer, and test models have none.
    const auto runtime = engine::Runtime::OpenWithoutTokenizer(directory, runtime_options_);
    engine::GoldenReport report = Compare(context, *runtime, golden);
    std::optional<engine::GoldenReport> in_cuts = CompareInCuts(context, *runtime, golden);
    const bool passed = report.passed() && (!in_cuts || in_cuts->passed());
    if (context.options.json)
      PrintAsJson(context, *runtime, directory, report, in_cuts, passed);
    else
      Print(context, *runtime, directory, report, in_cuts, passed);
    if (!passed) ThrowFailed(*runtime, directory, golden, report);
  }

 private:
  fs::path PlaceOf(const Context& context) const {
    const auto library = OpenLibraryIfThere(context);
    return ChooseModel(context, library ? &*library : nullptr, {model_, ""}, nullptr).directory;
  }

  /// The options of a comparison that `progress` follows.
  engine::GoldenOptions OptionsOf(const Context& context, ProgressBar& progress) const {
    return {tolerance_, cache_tolerance_.value_or(tolerance_ / 5), &context.cancel,
            [&progress](uint64_t done, uint64_t total) { progress.Update(done, total); }};
  }

  engine::GoldenReport Compare(Context& context, engine::Runtime& runtime,
                               const fs::path& golden) const {
    ProgressBar progress(context.err, "checking " + Printable(golden.string()), "token");
    engine::GoldenReport report =
        engine::CompareWithGolden(runtime, golden, OptionsOf(context, progress));
    std::sort(report.errors.begin(), report.errors.end(), GoesBefore);
    return report;
  }

  /// Empty where there is no longer prompt.
  std::optional<engine::GoldenReport> CompareInCuts(Context& context, engine::Runtime& runtime,
                                                    const fs::path& golden) const {
    const fs::path longer = engine::LongGoldenOf(golden);
    std::error_code ignored;
    if (!fs::exists(longer, ignored)) return std::nullopt;
    ProgressBar progress(context.err, "checking " + Printable(longer.string()), "token");
    engine::GoldenReport report =
        engine::CompareInCuts(runtime, longer, kCuts, seed_, OptionsOf(context, progress));
    std::sort(report.errors.begin(), report.errors.end(), GoesBefore);
    return report;
  }

  [[noreturn]] static void ThrowFailed(const engine::Runtime& runtime, const fs::path& directory,
                                       const fs::path& golden, const engine::GoldenReport& report) {
    if (!report.compared()) {
      Throw(ErrorKind::kMismatch,
            "{} records nothing to compare: expected logits, last_logits, next_token_logprob, "
            "parts of the state or greedy tokens, found a prompt alone; give another --golden",
            golden.string());
    }
    std::string doubts;
    for (const std::string& doubt : runtime.info().doubts) doubts += "; " + doubt;
    Throw(ErrorKind::kMismatch,
          "{} does not compute what {} records; the weights, the golden file or this build is "
          "wrong, or --tolerance is too tight{}",
          directory.string(), golden.string(), doubts);
  }

  /// The golden file in a model's folder, or in the folder of its file.
  static fs::path GoldenOf(const fs::path& model_files) {
    std::error_code ignored;
    const bool is_folder = fs::is_directory(model_files, ignored);
    return (is_folder ? model_files : model_files.parent_path()) / "golden.safetensors";
  }

  void Print(Context& context, const engine::Runtime& runtime, const fs::path& directory,
             const engine::GoldenReport& report, const std::optional<engine::GoldenReport>& in_cuts,
             bool passed) const {
    if (context.options.quiet) return;  // the exit code tells
    FactList facts;
    facts.Add("model", directory.string());
    facts.Add("architecture", runtime.info().architecture);
    facts.Add("backend", runtime.backend_name());
    facts.Add("weights", runtime.profile());
    facts.Add("prompt", HumanCount(report.prompt_tokens, "token"));
    for (const auto& notes : {runtime.model_files().notes(), std::span(runtime.info().notes)})
      for (const std::string& note : notes) facts.Add("note", Printable(note));
    facts.Print(context.out);
    context.out.Write("\n");
    PrintReport(context, report);
    if (in_cuts) {
      context.out.Print("\n{} in {} ways of cutting, seed {}\n",
                        HumanCount(in_cuts->prompt_tokens, "token"), in_cuts->cuts, seed_);
      PrintReport(context, *in_cuts);
    }
    context.out.Print("{}\n", passed ? context.out.Paint(Colour::kGreen, "passed")
                                     : context.out.Paint(Colour::kRed, "FAILED"));
  }

  static void PrintReport(Context& context, const engine::GoldenReport& report) {
    Table table({{"quantity", Align::kLeft},
                 {"largest error", Align::kRight},
                 {"allowed", Align::kRight},
                 {"", Align::kLeft}});
    size_t layer_rows = 0;
    for (const engine::GoldenError& error : report.errors) {
      // A layer that fails is shown however many there are.
      if (IsOfALayer(error) && ++layer_rows > kLayerRowsMax && error.passed()) continue;
      table.Add({error.what, fmt::format("{:.2e}", error.largest),
                 fmt::format("{:.2e}", error.allowed), VerdictOn(error)});
    }
    const size_t left_out = report.errors.size() - table.size();
    const auto add_count = [&table](const char* what, uint64_t differ) {
      table.Add({what, fmt::format("{} differ", differ), "0", differ == 0 ? "ok" : "DIFFER"});
    };
    if (report.greedy_tokens > 0)
      add_count("greedy tokens", report.greedy_tokens - report.greedy_tokens_matched);
    if (report.cuts > 0) add_count("bytes of the cuts", report.cuts_that_differ);
    table.Print(context.out);
    if (left_out > 0) context.out.Print("and {} more with smaller errors\n", left_out);
    PrintNames(context, "NaN or infinity in", report.not_finite);
    PrintNames(context, "recorded, but no part of this model's states", report.without_place);
    PrintNames(context, "not looked at", report.unknown);
  }

  static void PrintNames(Context& context, const char* what,
                         const std::vector<std::string>& names) {
    if (names.empty()) return;
    context.out.Print("{}: {}\n", what, Printable(fmt::format("{}", fmt::join(names, ", "))));
  }

  static Json ReportJson(const engine::GoldenReport& report) {
    Json errors = Json::array();
    for (const engine::GoldenError& error : report.errors)
      errors.push_back({{"what", error.what},
                        {"largest", error.largest},
                        {"allowed", error.allowed},
                        {"passed", error.passed()}});
    return {{"prompt_tokens", report.prompt_tokens},
            {"errors", errors},
            {"greedy_tokens", report.greedy_tokens},
            {"greedy_tokens_matched", report.greedy_tokens_matched},
            {"not_finite", report.not_finite},
            {"without_place", report.without_place},
            {"not_looked_at", report.unknown}};
  }

  void PrintAsJson(Context& context, const engine::Runtime& runtime, const fs::path& directory,
                   const engine::GoldenReport& report,
                   const std::optional<engine::GoldenReport>& in_cuts, bool passed) const {
    Json json = ReportJson(report);
    json["model"] = directory.string();
    json["architecture"] = runtime.info().architecture;
    json["backend"] = runtime.backend_name();
    json["profile"] = runtime.profile();
    json["notes"] = Json::array();
    for (const auto& notes : {runtime.model_files().notes(), std::span(runtime.info().notes)})
      for (const std::string& note : notes) json["notes"].push_back(note);
    json["in_cuts"] = nullptr;
    if (in_cuts) {
      json["in_cuts"] = ReportJson(*in_cuts);
      json["in_cuts"]["seed"] = seed_;
      json["in_cuts"]["cuts"] = in_cuts->cuts;
      json["in_cuts"]["cuts_that_differ"] = in_cuts->cuts_that_differ;
    }
    json["passed"] = passed;
    context.PrintJson(json);
  }

  std::string model_;
  std::string golden_;
  double tolerance_ = 1e-4;
  std::optional<double> cache_tolerance_;
  uint64_t seed_ = std::random_device()();
  std::vector<std::string> facts_;
  engine::RuntimeOptions runtime_options_;
};

}  // namespace

std::unique_ptr<Command> MakeModelCheckCommand() { return std::make_unique<ModelCheckCommand>(); }

}  // namespace statelib::cli
