// SPDX-License-Identifier: Apache-2.0
#include "core/engine/decoder.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace statelib::engine {

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

Decoder::Decoder(Runtime& runtime, State& state, std::span<const TokenId> prompt,
                 const GenerateOptions& options)
    : runtime_(runtime),
      state_(state),
      prompt_(prompt),
      options_(options),
      decoder_(runtime.tokenizer()),
      stops_(options.stop),
      sampler_(options.sampling, options.log_probabilities) {
  if (prompt.empty() && state.is_empty()) {
    throw Error(ErrorKind::kInvalidArgument,
                "the state has read nothing, so nothing can follow: give a prompt");
  }
  sampler_.Observe(prompt);
  result_.prompt_tokens = prompt.size();
  if (prompt.empty() && is_full()) End(StopReason::kTokensMax);
}

Wanted Decoder::wanted() const {
  return has_ended_ || is_full() ? Wanted::kState : Wanted::kChoice;
}

void Decoder::Took(size_t count, const Given& given) {
  if (!has_read_prompt())
    prompt_ = prompt_.subspan(count);
  else
    chosen_ = {};
  if (tokens_left() > 0) return;
  if (is_full()) return End(StopReason::kTokensMax);
  GoOn(*given.choice);
}

/// Takes one more token.
void Decoder::GoOn(const kernels::SampleResult& choice) {
  if (options_.cancel != nullptr && options_.cancel->cancelled())
    return End(StopReason::kCancelled);
  const TokenId token = sampler_.Accept(choice);
  if (options_.log_probabilities)
    result_.choices.push_back({{token, choice.log_probability}, choice.best});
  if (++result_.tokens_chosen == 1) {
    first_token_at_ = std::chrono::steady_clock::now();
    if (options_.on_first_token) options_.on_first_token();
  }
  const auto& ends = runtime_.info().end_of_text_ids;
  if (options_.stop_at_end_of_text && std::find(ends.begin(), ends.end(), token) != ends.end())
    return End(StopReason::kEndOfText);
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
  if (!options_.keep_state && is_full()) return End(StopReason::kTokensMax);
  token_ = token;
  chosen_ = std::span(&token_, 1);
}

void Decoder::End(StopReason reason) {
  result_.reason = reason;
  has_ended_ = true;
  Emit(decoder_.Flush());
  if (!stops_.found()) Deliver(stops_.Flush());
  ReturnToBeforeStopText();
  const std::chrono::duration<double> decoding = std::chrono::steady_clock::now() - first_token_at_;
  if (result_.tokens_chosen > 0) result_.decode_seconds = decoding.count();
}

Generation Decoder::TakeAnswer() { return std::move(result_); }

void Decoder::Emit(std::string_view piece) {
  decoded_bytes_ += piece.size();
  Deliver(stops_.Push(piece));
}

void Decoder::Deliver(const std::string& text) {
  if (text.empty()) return;
  result_.text += text;
  if (options_.on_text) options_.on_text(text);
}

/// After a stop text: back to before the token in which it began. The tokens since are held in
/// returns_, for the matcher was holding text then; it may have begun in the last token, which the
/// state has not read.
void Decoder::ReturnToBeforeStopText() {
  if (!stops_.found()) return;
  while (returns_.size() > 1 && returns_.back().decoded_bytes > result_.text.size())
    returns_.pop_back();
  if (returns_.empty() || result_.text.size() >= last_decoded_before_) return;
  state_ = std::move(returns_.back().state);
  result_.tokens.resize(returns_.back().tokens);
}

}  // namespace statelib::engine
