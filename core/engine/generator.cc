// SPDX-License-Identifier: Apache-2.0
#include "core/engine/generator.h"

#include <algorithm>

#include "core/engine/stop_matcher.h"
#include "core/tokenizer/stream_decoder.h"

namespace statelib::engine {

namespace {

/// One answer in the making. The state lags one token behind the text: a chosen token is read when
/// the next one is wanted, or at the end.
class DecodeLoop {
 public:
  DecodeLoop(Runtime& runtime, State& state, const GenerateOptions& options)
      : runtime_(runtime),
        state_(state),
        options_(options),
        decoder_(runtime.tokenizer()),
        stops_(options.stop),
        sampler_(options.sampling, options.log_probabilities) {}

  Generation Run(std::span<const TokenId> prompt) {
    sampler_.Observe(prompt);
    runtime_.Advance(state_, prompt, {.cancel = options_.cancel, .on_progress = {}});
    result_.prompt_tokens = prompt.size();
    while (Continue()) {
    }
    Emit(decoder_.Flush());
    if (!stops_.found()) Deliver(stops_.Flush());
    ReturnToBeforeStopText();
    const std::chrono::duration<double> decoding =
        std::chrono::steady_clock::now() - first_token_at_;
    if (result_.tokens_chosen > 0) result_.decode_seconds = decoding.count();
    return std::move(result_);
  }

 private:
  /// Chooses one more token; false when the answer has ended.
  bool Continue() {
    if (result_.tokens.size() >= options_.tokens_max) return End(StopReason::kTokensMax);
    if (options_.cancel != nullptr && options_.cancel->cancelled())
      return End(StopReason::kCancelled);
    const TokenId token = Choose();
    if (++result_.tokens_chosen == 1) {
      first_token_at_ = std::chrono::steady_clock::now();
      if (options_.on_first_token) options_.on_first_token();
    }
    const auto& ends = runtime_.info().end_of_text_ids;
    if (options_.stop_at_end_of_text && std::find(ends.begin(), ends.end(), token) != ends.end()) {
      return End(StopReason::kEndOfText);
    }
    last_decoded_before_ = decoded_bytes_;
    Emit(decoder_.Push(token));
    if (stops_.found()) return End(StopReason::kStopText);
    // Should a stop text have begun in this token, the answer may have to end before it.
    if (stops_.holding()) {
      returns_.push_back({runtime_.Clone(state_), result_.tokens.size(), last_decoded_before_});
    } else {
      returns_.clear();
    }
    result_.tokens.push_back(token);
    if (!options_.keep_state && result_.tokens.size() == options_.tokens_max) {
      return End(StopReason::kTokensMax);
    }
    runtime_.Advance(state_, std::span(&token, 1));
    return true;
  }

  TokenId Choose() {
    const State* const one = &state_;
    const kernels::SampleRow row = sampler_.Row();
    kernels::SampleResult result =
        std::move(runtime_.Sample(std::span(&one, 1), std::span(&row, 1)).front());
    const TokenId token = sampler_.Accept(result);
    if (options_.log_probabilities)
      result_.choices.push_back({{token, result.log_probability}, std::move(result.best)});
    return token;
  }

  bool End(StopReason reason) {
    result_.reason = reason;
    return false;
  }

  void Emit(std::string_view piece) {
    decoded_bytes_ += piece.size();
    Deliver(stops_.Push(piece));
  }

  void Deliver(const std::string& text) {
    if (text.empty()) return;
    result_.text += text;
    if (options_.on_text) options_.on_text(text);
  }

  /// A state that the answer may have to go back to, and what had been decoded when it was kept.
  struct ReturnPoint {
    State state;
    size_t tokens;
    size_t decoded_bytes;
  };

  /// After a stop text: back to before the token in which it began. The tokens since are held in
  /// returns_, for the matcher was holding text then; it may have begun in the last token, which
  /// the state has not read.
  void ReturnToBeforeStopText() {
    if (!stops_.found()) return;
    while (returns_.size() > 1 && returns_.back().decoded_bytes > result_.text.size()) {
      returns_.pop_back();
    }
    if (returns_.empty() || result_.text.size() >= last_decoded_before_) return;
    state_ = std::move(returns_.back().state);
    result_.tokens.resize(returns_.back().tokens);
  }

  Runtime& runtime_;
  State& state_;
  const GenerateOptions& options_;
  tokenizer::StreamDecoder decoder_;
  StopMatcher stops_;
  Sampler sampler_;
  Generation result_;
  std::vector<ReturnPoint> returns_;
  size_t decoded_bytes_ = 0;
  size_t last_decoded_before_ = 0;  // what was decoded before the last token that was chosen
  std::chrono::steady_clock::time_point first_token_at_;
};

}  // namespace

const char* NameOf(StopReason reason) {
  switch (reason) {
    case StopReason::kTokensMax:
      return "max_tokens";
    case StopReason::kEndOfText:
      return "end_of_text";
    case StopReason::kStopText:
      return "stop_text";
    case StopReason::kCancelled:
      return "cancelled";
  }
  return "?";
}

Generation Generate(Runtime& runtime, State& state, std::span<const TokenId> prompt,
                    const GenerateOptions& options) {
  if (prompt.empty() && state.is_empty()) {
    throw Error(ErrorKind::kInvalidArgument,
                "the state has read nothing, so nothing can follow: give a prompt");
  }
  return DecodeLoop(runtime, state, options).Run(prompt);
}

}  // namespace statelib::engine
