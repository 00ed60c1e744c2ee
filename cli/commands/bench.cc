// SPDX-License-Identifier: Apache-2.0
#include <numeric>

#include "cli/commands.h"
#include "cli/compute_options.h"
#include "cli/explain.h"
#include "cli/library_access.h"
#include "cli/terminal/progress.h"
#include "cli/terminal/quantities.h"
#include "cli/terminal/table.h"
#include "core/base/error.h"
#include "core/base/random_name.h"
#include "core/engine/benchmark.h"
#include "statestore/library/bench.h"

namespace statelib::cli {

namespace fs = std::filesystem;

namespace {

constexpr double kSecondsEach = 1.5;
constexpr size_t kBatches[] = {1, 4, 16, 64};

/// A folder that is gone with the object.
class ScratchFolder {
 public:
  ScratchFolder() : path_(fs::temp_directory_path() / ("statelib-bench-" + RandomName())) {
    fs::create_directories(path_);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

struct DecodeSpeed {
  size_t sequences;
  engine::Speed speed;
};

struct BenchReport {
  engine::MachineLimits limits;
  engine::Speed prefill;
  std::vector<DecodeSpeed> decode;
  library::StateSpeed state;
};

class BenchCommand : public Command {
 public:
  void Declare(Declaration& declaration, SharedOptions& shared) override {
    AddModelOptions(declaration, choice_);
    AddComputeOptions(declaration, runtime_options_);
    AddLibraryOption(declaration, shared);
    AddJsonOption(declaration, shared);
    declaration.Examples(
        "  statelib bench\n"
        "  statelib bench --model large --weights int8\n"
        "  TMPDIR=/mnt/disk statelib bench --json\n");
  }

  void Run(Context& context) override {
    const std::optional<library::Library> known = OpenLibraryIfThere(context);
    library::LoadedModel model;
    model.place = ChooseModel(context, known ? &*known : nullptr, choice_, nullptr);
    if (runtime_options_.weights.empty()) runtime_options_.weights = model.place.weights;
    model.runtime = engine::Runtime::OpenWithoutTokenizer(model.place.directory, runtime_options_);
    ExplainModel(context, model.place);
    ExplainRuntime(context, *model.runtime);
    // The states are thrown away, so that any identity will do.
    model.identity = {HashOf(AsBytes(model.place.directory.string())),
                      model.runtime->info().architecture, "bench"};
    const BenchReport report = Measure(context, model);
    if (context.options.json)
      PrintReportAsJson(context, model, report);
    else
      PrintReport(context, model, report);
  }

 private:
  static BenchReport Measure(Context& context, library::LoadedModel& model) {
    engine::Runtime& runtime = *model.runtime;
    ProgressBar bar(context.err, "measuring", "step");
    constexpr uint64_t kSteps = 3 + std::size(kBatches);
    uint64_t done = 0;
    const auto step = [&] { bar.Update(done++, kSteps); };
    BenchReport report;
    step();
    report.limits = engine::MeasureLimits(runtime);
    step();
    engine::MachineLimits limits = report.limits;
    report.prefill = engine::MeasurePrefill(runtime, limits, kSecondsEach, &context.cancel);
    for (const size_t sequences : kBatches) {
      step();
      report.decode.push_back({sequences, engine::MeasureDecode(runtime, limits, sequences,
                                                                kSecondsEach, &context.cancel)});
    }
    step();
    const ScratchFolder scratch;
    report.state = library::MeasureStateSpeed(model, scratch.path() / "library", kSecondsEach,
                                              &context.cancel);
    return report;
  }

  static double StateLimitSeconds(const BenchReport& report) {
    return static_cast<double>(report.state.raw_bytes) / report.limits.read_bytes_per_second;
  }

  static void PrintReport(Context& context, const library::LoadedModel& model,
                          const BenchReport& report) {
    const engine::Runtime& runtime = *model.runtime;
    FactList facts;
    facts.Add("model", model.place.directory.string());
    facts.Add("architecture", fmt::format("{}, {} parameters", runtime.info().architecture,
                                          HumanCount(runtime.info().parameters)));
    facts.Add("backend", runtime.backend_name());
    facts.Add("profile", runtime.profile());
    facts.Add("matrices", HumanBytes(static_cast<uint64_t>(runtime.work().stored_weight_bytes)));
    facts.Add("multiply rate", fmt::format("{:.1f} G multiply-adds/s",
                                           report.limits.multiply_adds_per_second / 1e9));
    facts.Add("read rate", fmt::format("{:.1f} GB/s over a working set of the matrices' size",
                                       report.limits.read_bytes_per_second / 1e9));
    facts.Print(context.out);
    context.out.Write("\n");
    Table table({{"", Align::kLeft},
                 {"tokens/s", Align::kRight},
                 {"limit", Align::kRight},
                 {"of it", Align::kRight},
                 {"set by", Align::kLeft}});
    const auto add = [&table](const std::string& what, const engine::Speed& speed) {
      table.Add({what, HumanRate(speed.tokens_per_second), HumanRate(speed.limit),
                 fmt::format("{:.0f} %", 100 * speed.tokens_per_second / speed.limit),
                 speed.limit_is_memory ? "reading weights" : "multiplying"});
    };
    add("prefill", report.prefill);
    for (const DecodeSpeed& decode : report.decode)
      add("decode, " + HumanCount(decode.sequences, "sequence"), decode.speed);
    table.Print(context.out);
    context.out.Print(
        "\nstate of {}, {} stored: saved in {}, loaded in {} (one pass over its bytes: {}), and "
        "the "
        "first token after {}\n",
        HumanBytes(report.state.raw_bytes), HumanBytes(report.state.stored_bytes),
        HumanDuration(report.state.save_seconds), HumanDuration(report.state.load_seconds),
        HumanDuration(StateLimitSeconds(report)), HumanDuration(report.state.first_token_seconds));
  }

  static Json SpeedJson(const engine::Speed& speed) {
    return {{"tokens_per_second", speed.tokens_per_second},
            {"limit", speed.limit},
            {"limit_is_memory", speed.limit_is_memory}};
  }

  static void PrintReportAsJson(Context& context, const library::LoadedModel& model,
                                const BenchReport& report) {
    Json decode = Json::array();
    for (const DecodeSpeed& one : report.decode) {
      Json json = SpeedJson(one.speed);
      json["sequences"] = one.sequences;
      decode.push_back(json);
    }
    context.PrintJson({{"model", model.place.directory.string()},
                       {"backend", model.runtime->backend_name()},
                       {"profile", model.runtime->profile()},
                       {"matrix_bytes", model.runtime->work().stored_weight_bytes},
                       {"multiply_adds_per_second", report.limits.multiply_adds_per_second},
                       {"read_bytes_per_second", report.limits.read_bytes_per_second},
                       {"prefill", SpeedJson(report.prefill)},
                       {"decode", decode},
                       {"state",
                        {{"raw_bytes", report.state.raw_bytes},
                         {"stored_bytes", report.state.stored_bytes},
                         {"save_ms", report.state.save_seconds * 1000},
                         {"load_ms", report.state.load_seconds * 1000},
                         {"first_token_ms", report.state.first_token_seconds * 1000},
                         {"limit_ms", StateLimitSeconds(report) * 1000}}}});
  }

  ModelChoice choice_;
  engine::RuntimeOptions runtime_options_;
};

}  // namespace

std::unique_ptr<Command> MakeBenchCommand() { return std::make_unique<BenchCommand>(); }

}  // namespace statelib::cli
