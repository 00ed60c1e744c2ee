// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_LOG_PROBABILITIES_H_
#define STATELIB_CLI_LOG_PROBABILITIES_H_

#include <vector>

#include "cli/command.h"
#include "core/engine/log_probabilities.h"
#include "core/tokenizer/tokenizer.h"

namespace statelib::cli {

/// The most likeliest tokens that may be asked for.
inline constexpr int kLogProbabilitiesMax = 100;

/// [{"token", "text", "logprob", "best": [{"token", "text", "logprob"}]}], natural logarithms.
Json LogProbabilitiesJson(const std::vector<engine::TokenChoice>& choices,
                          const tokenizer::Tokenizer& tokenizer);
/// The same as a table with a row a token.
void PrintLogProbabilities(const Context& context, const std::vector<engine::TokenChoice>& choices,
                           const tokenizer::Tokenizer& tokenizer);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_LOG_PROBABILITIES_H_
