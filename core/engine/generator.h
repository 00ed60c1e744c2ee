// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_ENGINE_GENERATOR_H_
#define STATELIB_CORE_ENGINE_GENERATOR_H_

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/log_probabilities.h"
#include "core/engine/runtime.h"
#include "core/engine/sampler.h"

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

/// Continues a state: reads the prompt (which may be empty when the state has read something), then
/// chooses and reads token after token. Afterwards the state has read the prompt and exactly
/// `tokens`: the answer, without an end-of-text token and without the tokens from the one in which
/// a stop text began. Cancelling ends the answer (kCancelled in `reason`, no exception) once the
/// prompt has been read. Errors: kInvalidArgument (options; an empty prompt on an empty state);
/// those of Runtime::Advance.
Generation Generate(Runtime& runtime, State& state, std::span<const TokenId> prompt,
                    const GenerateOptions& options);

}  // namespace statelib::engine

#endif  // STATELIB_CORE_ENGINE_GENERATOR_H_
