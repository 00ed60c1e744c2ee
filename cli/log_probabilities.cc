// SPDX-License-Identifier: Apache-2.0
#include "cli/log_probabilities.h"

#include "cli/terminal/table.h"

namespace statelib::cli {

namespace {

/// In quotes, for a token may be a space.
std::string TextOf(TokenId token, const tokenizer::Tokenizer& tokenizer) {
  return '"' + tokenizer.BytesOf(token) + '"';
}

Json TokenJson(const engine::TokenLogProbability& token, const tokenizer::Tokenizer& tokenizer) {
  return {
      {"token", token.token}, {"text", tokenizer.BytesOf(token.token)}, {"logprob", token.value}};
}

}  // namespace

Json LogProbabilitiesJson(const std::vector<engine::TokenChoice>& choices,
                          const tokenizer::Tokenizer& tokenizer) {
  Json list = Json::array();
  for (const engine::TokenChoice& choice : choices) {
    Json item = TokenJson(choice.chosen, tokenizer);
    item["best"] = Json::array();
    for (const engine::TokenLogProbability& token : choice.best)
      item["best"].push_back(TokenJson(token, tokenizer));
    list.push_back(std::move(item));
  }
  return list;
}

void PrintLogProbabilities(const Context& context, const std::vector<engine::TokenChoice>& choices,
                           const tokenizer::Tokenizer& tokenizer) {
  Table table({{"TOKEN"}, {"LOGPROB", Align::kRight}, {"LIKELIEST", Align::kLeft, true}});
  for (const engine::TokenChoice& choice : choices) {
    std::string best;
    for (const engine::TokenLogProbability& token : choice.best)
      best += fmt::format("{}{} {:.3f}", best.empty() ? "" : ", ", TextOf(token.token, tokenizer),
                          token.value);
    table.Add(
        {TextOf(choice.chosen.token, tokenizer), fmt::format("{:.3f}", choice.chosen.value), best});
  }
  table.Print(context.out);
}

}  // namespace statelib::cli
