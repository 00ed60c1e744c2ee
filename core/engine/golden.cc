// SPDX-License-Identifier: Apache-2.0
#include "core/engine/golden.h"

#include <algorithm>
#include <cmath>

#include "core/checkpoint/safetensors_file.h"

namespace statelib::engine {

namespace {

using checkpoint::ReadF32;
using checkpoint::ReadI64;
using checkpoint::TensorRef;
using checkpoint::TensorTable;

/// |a - b| that no comparison loses a not-a-number of.
void Widen(double& largest, double a, double b) {
  const double error = std::fabs(a - b);
  if (!(error <= largest)) largest = error;
}

std::vector<TokenId> ReadIds(const TensorRef& tensor, const Runtime& runtime) {
  std::vector<TokenId> ids;
  for (const int64_t id : ReadI64(tensor)) {
    if (id < 0 || id >= runtime.info().vocabulary_size) {
      Throw(ErrorKind::kCorrupt, "{}: expected ids below the model's vocabulary of {}, found {}",
            tensor.Label(), runtime.info().vocabulary_size, id);
    }
    ids.push_back(static_cast<TokenId>(id));
  }
  return ids;
}

std::vector<float> ReadSized(const TensorRef& tensor, size_t elements) {
  std::vector<float> values = ReadF32(tensor);
  if (values.size() != elements) {
    Throw(ErrorKind::kCorrupt,
          "{}: expected {} elements, as the model and the prompt have, found {}", tensor.Label(),
          elements, values.size());
  }
  return values;
}

double LogProbability(std::span<const float> logits, TokenId id) {
  const float largest = *std::max_element(logits.begin(), logits.end());
  double total = 0;
  for (const float logit : logits) total += std::exp(static_cast<double>(logit) - largest);
  return static_cast<double>(logits[static_cast<size_t>(id)]) - largest - std::log(total);
}

TokenId Largest(std::span<const float> logits) {
  return static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

class Comparison {
 public:
  using Progress = std::function<void(uint64_t done, uint64_t total)>;

  Comparison(Runtime& runtime, const std::filesystem::path& file, double logits_tolerance,
             double cache_tolerance, const CancelFlag* cancel, const Progress& on_progress)
      : runtime_(runtime),
        file_(checkpoint::OpenSafetensors(file)),
        tensors_(file_.tensors()),
        logits_tolerance_(logits_tolerance),
        cache_tolerance_(cache_tolerance),
        cancel_(cancel),
        on_progress_(on_progress),
        state_(runtime.Empty()) {}

  GoldenReport Run() {
    ReadPrompt();
    CompareCaches();
    CompareGreedy();
    return std::move(report_);
  }

 private:
  void Advance(TokenId token) {
    if (cancel_ != nullptr) cancel_->Check();
    runtime_.Advance(state_, std::span(&token, 1));
    if (on_progress_) on_progress_(++done_, total_);
  }

  void ReadPrompt() {
    const std::vector<TokenId> prompt = ReadIds(tensors_.Get("input_ids"), runtime_);
    if (prompt.empty())
      Throw(ErrorKind::kCorrupt, "{}: expected a prompt, found no token",
            tensors_.Get("input_ids").Label());
    report_.prompt_tokens = prompt.size();
    const TensorRef* greedy = tensors_.Find("greedy");
    total_ = prompt.size() + (greedy == nullptr ? 0 : static_cast<uint64_t>(greedy->elements()));
    const auto vocabulary = static_cast<size_t>(runtime_.info().vocabulary_size);
    const auto optional = [&](const char* name, size_t elements) {
      const TensorRef* tensor = tensors_.Find(name);
      return tensor == nullptr ? std::vector<float>() : ReadSized(*tensor, elements);
    };
    const std::vector<float> logits = optional("logits", prompt.size() * vocabulary);
    const std::vector<float> last_logits = optional("last_logits", vocabulary);
    const std::vector<float> log_probabilities = optional("next_token_logprob", prompt.size() - 1);
    GoldenError all{"logits", 0, logits_tolerance_}, last{"last_logits", 0, logits_tolerance_};
    GoldenError next{"next_token_logprob", 0, logits_tolerance_};
    for (size_t t = 0; t < prompt.size(); ++t) {
      Advance(prompt[t]);
      const std::vector<float> ours = runtime_.Logits(state_);
      for (size_t i = 0; i < vocabulary && !logits.empty(); ++i) {
        Widen(all.largest, ours[i], logits[t * vocabulary + i]);
      }
      if (t + 1 < prompt.size() && !log_probabilities.empty()) {
        Widen(next.largest, LogProbability(ours, prompt[t + 1]), log_probabilities[t]);
      }
      if (t + 1 == prompt.size() && !last_logits.empty()) {
        for (size_t i = 0; i < vocabulary; ++i) Widen(last.largest, ours[i], last_logits[i]);
      }
    }
    if (!logits.empty()) report_.errors.push_back(all);
    if (!last_logits.empty()) report_.errors.push_back(last);
    if (!log_probabilities.empty()) report_.errors.push_back(next);
  }

  const TensorRef* FindCache(int32_t layer, const char* kind) const {
    const std::string name = fmt::format("cache.{}.{}_states", layer, kind);
    const TensorRef* tensor = tensors_.Find(name + ".0");
    return tensor != nullptr ? tensor : tensors_.Find(name);
  }

  /// Recorded caches are [channels, columns]; a segment is [columns, channels], and its convolution
  /// window lacks the oldest column, which no later token sees.
  void CompareCaches() {
    const std::vector<Bytes> segments = runtime_.Snapshot(state_);
    for (size_t i = 0; i < segments.size(); ++i) {
      const SegmentSpec& spec = runtime_.state_spec()[i];
      const bool is_conv = spec.kind == SegmentKind::kConv;
      if (!is_conv && spec.kind != SegmentKind::kSsm) continue;
      const TensorRef* tensor = FindCache(spec.layer, is_conv ? "conv" : "recurrent");
      if (tensor == nullptr) continue;
      GoldenError error{fmt::format("layer {} {}", spec.layer, NameOf(spec.kind)), 0,
                        cache_tolerance_};
      CompareCache(spec, segments[i], *tensor, is_conv ? 1 : 0, error);
      report_.errors.push_back(error);
    }
  }

  /// spec: [(head,) column, channel]; the tensor: [(head,) channel, column], with `skipped` more
  /// columns in front.
  static void CompareCache(const SegmentSpec& spec, ByteSpan segment, const TensorRef& tensor,
                           size_t skipped, GoldenError& error) {
    const auto channels = static_cast<size_t>(spec.shape.back());
    const auto columns = static_cast<size_t>(spec.shape[spec.shape.size() - 2]);
    const size_t heads = channels * columns == 0 ? 0 : spec.elements() / (channels * columns);
    const std::vector<float> recorded = ReadSized(tensor, heads * (columns + skipped) * channels);
    for (size_t row = 0; row < heads * columns; ++row) {
      const size_t head = row / columns, column = row % columns;
      for (size_t channel = 0; channel < channels; ++channel) {
        const size_t at = (head * channels + channel) * (columns + skipped) + column + skipped;
        Widen(error.largest, LoadLittle<float>(segment.data() + 4 * (row * channels + channel)),
              recorded[at]);
      }
    }
  }

  void CompareGreedy() {
    const TensorRef* tensor = tensors_.Find("greedy");
    if (tensor == nullptr) return;
    const std::vector<TokenId> greedy = ReadIds(*tensor, runtime_);
    report_.greedy_tokens = greedy.size();
    for (const TokenId expected : greedy) {
      if (Largest(runtime_.Logits(state_)) != expected) return;
      ++report_.greedy_tokens_matched;
      Advance(expected);
    }
  }

  Runtime& runtime_;
  checkpoint::TensorFile file_;
  const TensorTable& tensors_;
  double logits_tolerance_;
  double cache_tolerance_;
  const CancelFlag* cancel_;
  const Progress& on_progress_;
  uint64_t done_ = 0;
  uint64_t total_ = 0;
  State state_;
  GoldenReport report_;
};

}  // namespace

bool GoldenReport::passed() const {
  return greedy_tokens_matched == greedy_tokens &&
         std::all_of(errors.begin(), errors.end(),
                     [](const GoldenError& error) { return error.passed(); });
}

GoldenReport CompareWithGolden(Runtime& runtime, const std::filesystem::path& golden_file,
                               double logits_tolerance, double cache_tolerance,
                               const CancelFlag* cancel,
                               const std::function<void(uint64_t, uint64_t)>& on_progress) {
  return Comparison(runtime, golden_file, logits_tolerance, cache_tolerance, cancel, on_progress)
      .Run();
}

}  // namespace statelib::engine
