// SPDX-License-Identifier: Apache-2.0
#include "core/engine/golden.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "core/base/copy_bytes.h"
#include "core/base/error.h"
#include "core/engine/golden_file.h"
#include "core/engine/log_probabilities.h"

namespace statelib::engine {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// The errors of one quantity.
class Measure {
 public:
  void Add(double ours, double recorded) {
    const double error = std::fabs(ours - recorded);
    if (!std::isfinite(error)) is_finite_ = false;
    largest_error_ = std::max(largest_error_, error);
    if (std::isfinite(recorded)) largest_value_ = std::max(largest_value_, std::fabs(recorded));
  }
  /// Of the finite values recorded.
  double largest_value() const { return largest_value_; }

  /// scale: the largest value that the tolerance is relative to.
  GoldenError Finish(std::string what, double tolerance, double scale) const {
    return {std::move(what), is_finite_ ? largest_error_ : kNaN, tolerance * std::max(1.0, scale)};
  }

 private:
  double largest_error_ = 0;
  double largest_value_ = 0;
  bool is_finite_ = true;
};

TokenId Largest(std::span<const float> logits) {
  return static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

/// What is recorded of the logits of a prompt, and the errors against it.
class LogitsComparison {
 public:
  LogitsComparison(const GoldenFile& golden, int64_t vocabulary)
      : prompt_(golden.prompt()),
        vocabulary_(static_cast<size_t>(vocabulary)),
        logits_(golden.Values("logits", prompt_.size() * vocabulary_)),
        last_logits_(golden.Values("last_logits", vocabulary_)),
        log_probabilities_(golden.Values("next_token_logprob", prompt_.size() - 1)) {}

  /// The logits after token `t` of the prompt.
  void Add(size_t t, std::span<const float> ours) {
    if (!IsFinite(ours)) is_finite_ = false;
    for (size_t i = 0; i < vocabulary_ && !logits_.empty(); ++i)
      all_.Add(ours[i], logits_[t * vocabulary_ + i]);
    if (t + 1 < prompt_.size() && !log_probabilities_.empty())
      next_.Add(LogProbabilityOf(ours, prompt_[t + 1]), log_probabilities_[t]);
    if (t + 1 < prompt_.size()) return;
    for (size_t i = 0; i < vocabulary_ && !last_logits_.empty(); ++i)
      last_.Add(ours[i], last_logits_[i]);
  }

  void Report(double tolerance, GoldenReport& report) const {
    // A log-probability is a difference of logits, and as exact as those.
    const double scale =
        std::max({all_.largest_value(), last_.largest_value(), next_.largest_value()});
    if (!logits_.empty()) report.errors.push_back(all_.Finish("logits", tolerance, scale));
    if (!last_logits_.empty())
      report.errors.push_back(last_.Finish("last_logits", tolerance, scale));
    if (!log_probabilities_.empty())
      report.errors.push_back(next_.Finish("next_token_logprob", tolerance, scale));
    if (!is_finite_) report.not_finite.push_back("logits");
  }

 private:
  const std::vector<TokenId>& prompt_;
  size_t vocabulary_;
  std::vector<float> logits_, last_logits_, log_probabilities_;
  Measure all_, last_, next_;
  bool is_finite_ = true;
};

class Comparison {
 public:
  Comparison(Runtime& runtime, const std::filesystem::path& file, const GoldenOptions& options)
      : runtime_(runtime),
        options_(options),
        golden_(GoldenFile::Open(file, runtime.info().vocabulary_size)),
        logits_(golden_, runtime.info().vocabulary_size),
        state_(runtime.Empty()) {
    report_.prompt_tokens = golden_.prompt().size();
    report_.without_place = golden_.without_place();
    report_.unknown = golden_.unknown();
    report_.not_finite = golden_.not_finite();
    total_ = golden_.prompt().size() + golden_.greedy().size();
  }

  GoldenReport Run() {
    size_t t = 0;
    for (const TokenId token : golden_.prompt()) {
      Advance(state_, std::span(&token, 1));
      logits_.Add(t++, runtime_.Logits(state_));
    }
    return Finish();
  }

  GoldenReport RunInCuts(int cuts, uint64_t seed) {
    total_ += golden_.prompt().size() * static_cast<size_t>(cuts);
    size_t t = 0;
    runtime_.AdvanceWithLogits(
        state_, golden_.prompt(),
        [&](std::span<const float> ours) {
          logits_.Add(t++, ours);
          Report(1);
        },
        options_.cancel);
    const std::vector<Bytes> expected = runtime_.Snapshot(state_);
    std::mt19937_64 engine(seed);
    for (int cut = 0; cut < cuts; ++cut) {
      const State state = ReadInPieces(engine);
      logits_.Add(golden_.prompt().size() - 1, runtime_.Logits(state));
      if (runtime_.Snapshot(state) != expected) ++report_.cuts_that_differ;
      ++report_.cuts;
    }
    return Finish();
  }

 private:
  void Report(uint64_t tokens) {
    done_ += tokens;
    if (options_.on_progress) options_.on_progress(done_, total_);
  }

  void Advance(State& state, std::span<const TokenId> tokens) {
    if (options_.cancel != nullptr) options_.cancel->Check();
    runtime_.Advance(state, tokens);
    Report(tokens.size());
  }

  /// The prompt in calls of random lengths, of which none is longer than a random one; after some
  /// of them the state goes on from its stored bytes.
  State ReadInPieces(std::mt19937_64& engine) {
    State state = runtime_.Empty();
    std::span<const TokenId> left = golden_.prompt();
    const size_t length_max = 1 + engine() % left.size();
    while (!left.empty()) {
      const size_t length = std::min(left.size(), 1 + engine() % length_max);
      Advance(state, left.first(length));
      left = left.subspan(length);
      if (engine() % 2 == 0) continue;
      const std::vector<Bytes> stored = runtime_.Snapshot(state);
      state =
          runtime_.Restore(state.history(), std::vector<ByteSpan>(stored.begin(), stored.end()));
    }
    return state;
  }

  GoldenReport Finish() {
    logits_.Report(options_.logits_tolerance, report_);
    CompareCaches();
    CompareGreedy();
    return std::move(report_);
  }

  void CompareCaches() {
    const StateSpec spec = runtime_.SpecFor(state_.token_count());
    const std::vector<Bytes> segments = runtime_.Snapshot(state_);
    for (size_t i = 0; i < spec.size(); ++i) {
      if (!IsFinite(ValuesOf<float>(segments[i])))
        report_.not_finite.push_back(NameOfPart(spec[i]));
    }
    for (const GoldenCache& cache : golden_.caches()) {
      const auto found = std::ranges::find_if(spec, [&](const SegmentSpec& segment) {
        return segment.layer == cache.layer && segment.kind == cache.kind;
      });
      if (found == spec.end()) {
        report_.without_place.push_back(cache.tensor->name);
        continue;
      }
      CompareCache(*found, segments[static_cast<size_t>(found - spec.begin())], *cache.tensor);
    }
  }

  static std::string NameOfPart(const SegmentSpec& spec) {
    if (spec.layer < 0) return NameOf(spec.kind);
    return fmt::format("layer {} {}", spec.layer, NameOf(spec.kind));
  }

  void CompareCache(const SegmentSpec& spec, ByteSpan segment,
                    const model_files::TensorRef& tensor) {
    const std::vector<float> recorded = ReadAsSegment(tensor, spec),
                             ours = ValuesOf<float>(segment);
    if (recorded.empty()) return;  // the window of a kernel of one keeps nothing
    Measure measure;
    for (size_t i = 0; i < ours.size(); ++i) measure.Add(ours[i], recorded[i]);
    report_.errors.push_back(
        measure.Finish(NameOfPart(spec), options_.cache_tolerance, measure.largest_value()));
  }

  void CompareGreedy() {
    report_.greedy_tokens = golden_.greedy().size();
    for (const TokenId expected : golden_.greedy()) {
      const std::vector<float> logits = runtime_.Logits(state_);
      if (!IsFinite(logits) || Largest(logits) != expected) return;
      ++report_.greedy_tokens_matched;
      Advance(state_, std::span(&expected, 1));
    }
  }

  Runtime& runtime_;
  const GoldenOptions& options_;
  GoldenFile golden_;
  LogitsComparison logits_;
  uint64_t done_ = 0;
  uint64_t total_ = 0;
  State state_;
  GoldenReport report_;
};

}  // namespace

bool GoldenReport::passed() const {
  return compared() && not_finite.empty() && without_place.empty() && cuts_that_differ == 0 &&
         greedy_tokens_matched == greedy_tokens &&
         std::ranges::all_of(errors, [](const GoldenError& error) { return error.passed(); });
}

GoldenReport CompareWithGolden(Runtime& runtime, const std::filesystem::path& golden_file,
                               const GoldenOptions& options) {
  return Comparison(runtime, golden_file, options).Run();
}

GoldenReport CompareInCuts(Runtime& runtime, const std::filesystem::path& golden_file, int cuts,
                           uint64_t seed, const GoldenOptions& options) {
  return Comparison(runtime, golden_file, options).RunInCuts(cuts, seed);
}

std::filesystem::path LongGoldenOf(const std::filesystem::path& golden_file) {
  std::filesystem::path name = golden_file.stem();
  name += "_long";
  name += golden_file.extension();
  return golden_file.parent_path() / name;
}

}  // namespace statelib::engine
