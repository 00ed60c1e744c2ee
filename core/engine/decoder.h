// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_DECODER_H_
#define STATELIB_CORE_ENGINE_DECODER_H_

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/batch.h"
#include "core/engine/log_probabilities.h"
#include "core/engine/runtime.h"
#include "core/engine/sampler.h"
#include "core/engine/stop_matcher.h"
#include "core/tokenizer/stream_decoder.h"

namespace statelib::engine {

struct GenerateOptions {
  SamplingOptions sampling;
  uint64_t tokens_max = 256;
  /// Generation ends before any of these texts; none may be empty.
  std::vector<std::string> stop;
  bool stop_at_end_of_text = true;
  /// false: the caller drops the state, which then need not read the answer's last token when
  /// tokens_max ends it.
  bool keep_state = true;
  /// Keeps log-probabilities: of each token that is chosen and of so many likeliest ones. Empty:
  /// none.
  std::optional<uint32_t> log_probabilities = {};
  const CancelFlag* cancel = nullptr;
  /// Called with each piece of the answer as soon as it is certain: whole characters, nothing of a
  /// stop text.
  std::function<void(std::string_view)> on_text;
  /// Called once, when the first token has been chosen.
  std::function<void()> on_first_token;
};

enum class StopReason { kTokensMax, kEndOfText, kStopText, kCancelled };
const char* NameOf(StopReason reason);  ///< "max_tokens", "end_of_text", "stop_text", "cancelled"

struct Generation {
  std::string text;
  std::vector<TokenId> tokens;  ///< those that the state has read after the prompt
  uint64_t prompt_tokens = 0;
  StopReason reason = StopReason::kTokensMax;
  double decode_seconds = 0;   ///< from the first token on
  uint64_t tokens_chosen = 0;  ///< every choice made, an end of text among them
  /// Of every choice made, where they were asked for: those of an end of text and of a stop text
  /// too.
  std::vector<TokenChoice> choices = {};
};

/// One answer in the making, as a sequence of a batch: reads the prompt, then chooses and reads
/// token after token. The state lags one token behind the text: a chosen token is read when the
/// next one is wanted, or at the end. A cancel flag ends the answer once the prompt has been read.
class Decoder : public BatchSequence {
 public:
  /// runtime, state, prompt and options outlive it. The state goes on from what it has read.
  /// Errors: kInvalidArgument (options; an empty prompt on an empty state).
  Decoder(Runtime& runtime, State& state, std::span<const TokenId> prompt,
          const GenerateOptions& options);

  bool has_read_prompt() const { return prompt_.empty(); }
  bool has_ended() const { return has_ended_; }
  /// The answer, once it has ended. Afterwards the state has read the prompt and exactly its
  /// tokens.
  Generation TakeAnswer();

  State& state() override { return state_; }
  Wanted wanted() const override;
  size_t tokens_left() const override { return pending().size(); }
  std::span<const TokenId> Next(size_t count) override { return pending().first(count); }
  kernels::SampleRow sample_row() const override { return sampler_.Row(); }
  void Took(size_t count, const Given& given) override;

 private:
  /// A state that the answer may have to go back to, and what had been decoded when it was kept.
  struct ReturnPoint {
    State state;
    size_t tokens;
    size_t decoded_bytes;
  };

  bool is_full() const { return result_.tokens.size() >= options_.tokens_max; }
  std::span<const TokenId> pending() const { return has_read_prompt() ? chosen_ : prompt_; }
  void GoOn(const kernels::SampleResult& choice);
  void End(StopReason reason);
  void Emit(std::string_view piece);
  void Deliver(const std::string& text);
  void ReturnToBeforeStopText();

  Runtime& runtime_;
  State& state_;
  std::span<const TokenId> prompt_;  // what is left to read of it
  const GenerateOptions& options_;
  tokenizer::StreamDecoder decoder_;
  StopMatcher stops_;
  Sampler sampler_;
  Generation result_;
  std::vector<ReturnPoint> returns_;
  TokenId token_ = 0;                // the one that was chosen last
  std::span<const TokenId> chosen_;  // that one, until it has been read
  size_t decoded_bytes_ = 0;
  size_t last_decoded_before_ = 0;  // what was decoded before the last token that was chosen
  bool has_ended_ = false;
  std::chrono::steady_clock::time_point first_token_at_;
};

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_DECODER_H_
