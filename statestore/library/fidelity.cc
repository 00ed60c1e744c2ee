// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/fidelity.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/engine/quality.h"
#include "statestore/storage/segment_codec.h"
#include "statestore/storage/state_object.h"

namespace statelib::library {

namespace {

// Long enough for a mean, short enough to be read at once by a large model.
constexpr size_t kProbeTokensMax = 96;
constexpr const char* kProbe =
    "The report begins with what was decided at the last meeting. Every door on the second floor "
    "is "
    "to be locked at nine, and the keys are kept in the drawer below the clock. When the river "
    "rises "
    "above the third mark, the bridge is closed and the boats are brought in. She asked him what "
    "he "
    "had seen; he said that it was too dark to tell. Prices rose by 4 percent in the first quarter "
    "and fell again in the second. For example, water boils at 100 degrees at sea level.";

double RelativeError(ByteSpan exact, ByteSpan near) {
  double norm = 0, distance = 0;
  for (size_t at = 0; at + 4 <= exact.size(); at += 4) {
    const double a = LoadLittle<float>(exact.data() + at), b = LoadLittle<float>(near.data() + at);
    norm += a * a;
    distance += (a - b) * (a - b);
  }
  return norm > 0 ? std::sqrt(distance / norm) : 0.0;
}

/// Approximates every segment; the layers' errors go into `fidelity`.
std::vector<Bytes> ApproximateSegments(const StateSpec& spec, const std::vector<Bytes>& exact,
                                       storage::Fidelity* fidelity) {
  std::vector<Bytes> segments;
  for (size_t i = 0; i < spec.size(); ++i) {
    segments.push_back(
        storage::Approximate(storage::CodecFor(fidelity->codec, spec[i]), spec[i], exact[i]));
    if (spec[i].layer < 0 || spec[i].dtype != DType::kF32) continue;
    const auto layer = static_cast<size_t>(spec[i].layer);
    if (fidelity->layer_errors.size() <= layer) fidelity->layer_errors.resize(layer + 1);
    double& error = fidelity->layer_errors[layer];
    error = std::max(error, RelativeError(exact[i], segments[i]));
  }
  return segments;
}

/// Lets both states read the probe side by side and compares what they predict after each token.
void MeasurePredictions(engine::Runtime& runtime, engine::State& exact, engine::State& near,
                        std::span<const TokenId> probe, const CancelFlag* cancel,
                        storage::Fidelity* fidelity) {
  engine::PredictionComparison comparison;
  for (size_t i = 0; i < probe.size(); ++i) {
    const auto token = probe.subspan(i, 1);
    const engine::PrefillChunk both[] = {{&exact, token}, {&near, token}};
    runtime.Advance(both, {.cancel = cancel, .on_progress = {}});
    const engine::State* const states[] = {&exact, &near};
    const std::vector<float> logits = runtime.Logits(states);
    const std::span<const float> values(logits);
    comparison.Add(values.first(values.size() / 2), values.last(values.size() / 2));
  }
  fidelity->mean_kl = comparison.kl();
  fidelity->largest_kl = comparison.kl_largest();
  fidelity->top1_agreement = comparison.top1_agreement();
}

std::vector<TokenId> ProbeTokens(const LoadedModel& model, const std::string& text) {
  std::vector<TokenId> tokens =
      model.runtime->tokenizer().Encode(text.empty() ? kProbe : text, tokenizer::AddSpecial::kNo);
  if (tokens.empty()) Throw(ErrorKind::kInvalidArgument, "the probe holds no text");
  tokens.resize(std::min(tokens.size(), kProbeTokensMax));
  return tokens;
}

}  // namespace

ApproximateState ApproximateAndMeasure(const LoadedModel& model, const engine::State& state,
                                       const CodecRequest& request) {
  engine::Runtime& runtime = *model.runtime;
  const StateSpec spec = runtime.SpecFor(state.token_count());
  const std::vector<Bytes> exact = runtime.Snapshot(state);
  const std::vector<TokenId> probe = ProbeTokens(model, request.probe);
  ApproximateState result;
  storage::Fidelity& fidelity = result.fidelity;
  fidelity.codec = request.codec;
  fidelity.exact_content =
      storage::ContentDigest(spec, std::vector<ByteSpan>(exact.begin(), exact.end()));
  History read;
  read.Append(probe);
  fidelity.probe = read.chain();
  fidelity.probe_tokens = static_cast<uint32_t>(probe.size());
  result.segments = ApproximateSegments(spec, exact, &fidelity);

  engine::State a = runtime.Clone(state);
  engine::State b = runtime.Restore(
      state.history(), std::vector<ByteSpan>(result.segments.begin(), result.segments.end()));
  MeasurePredictions(runtime, a, b, probe, request.cancel, &fidelity);
  if (!(fidelity.mean_kl <= request.kl_max)) {
    Throw(ErrorKind::kInvalidArgument,
          "the codec {} costs a mean KL of {:.3g} nats over {} tokens, allowed are {:.3g}; nothing "
          "was stored; use another codec or a larger --max-kl",
          storage::NameOf(request.codec), fidelity.mean_kl, fidelity.probe_tokens, request.kl_max);
  }
  return result;
}

}  // namespace statelib::library
