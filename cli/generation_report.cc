// SPDX-License-Identifier: Apache-2.0
#include "cli/generation_report.h"

#include "cli/facts.h"
#include "cli/log_probabilities.h"
#include "cli/terminal/quantities.h"
#include "core/base/printable.h"

namespace statelib::cli {

namespace {

double FirstTokenSeconds(const GenerationReport& answer) {
  return std::chrono::duration<double>(answer.first_token_at - answer.started_at).count();
}

// The first token is the prompt's work, not the decoding's.
double TokensPerSecond(const engine::Generation& generation) {
  if (generation.tokens_chosen < 2 || generation.decode_seconds <= 0) return 0;
  return static_cast<double>(generation.tokens_chosen - 1) / generation.decode_seconds;
}

// Tokens of the stored state that were read again. A state carries what generation needs, so this
// is the difference between what the state has read and what it should have: zero.
uint64_t TokensReprocessed(const GenerationReport& answer) {
  return answer.origin ? answer.origin->state.history.token_count() - answer.tokens_restored : 0;
}

}  // namespace

Json GenerationFactsJson(const GenerationReport& answer) {
  const engine::Generation& generation = answer.generation;
  Json json;
  json["stop_reason"] = engine::NameOf(generation.reason);
  json["state"] = nullptr;
  if (answer.origin) {
    json["state"] = StateJson(answer.origin->state);
    if (answer.origin->reference) json["reference"] = ReferenceJson(*answer.origin->reference);
  }
  if (answer.model) json["model"] = answer.model->fingerprint.Hex();
  json["tokens_restored"] = answer.tokens_restored;
  json["tokens_reprocessed"] = TokensReprocessed(answer);
  json["tokens_prompt"] = generation.prompt_tokens;
  json["tokens_generated"] = generation.tokens.size();
  json["restore_ms"] = answer.restore_seconds * 1000;
  json["first_token_ms"] = FirstTokenSeconds(answer) * 1000;
  json["tokens_per_second"] = TokensPerSecond(generation);
  return json;
}

namespace {

Json GenerationJson(const GenerationReport& answer) {
  Json json = {{"text", answer.generation.text}};
  json.update(GenerationFactsJson(answer));
  json["saved"] = answer.saved ? SavedJson(*answer.saved) : Json(nullptr);
  if (answer.tokenizer != nullptr)
    json["logprobs"] = LogProbabilitiesJson(answer.generation.choices, *answer.tokenizer);
  return json;
}

std::string SummaryLine(const GenerationReport& answer) {
  const engine::Generation& generation = answer.generation;
  std::string line;
  if (answer.origin)
    line = fmt::format("{}: {} restored in {}, {} reprocessed; ", NameOf(*answer.origin),
                       HumanCount(answer.tokens_restored, "token"),
                       HumanDuration(answer.restore_seconds), TokensReprocessed(answer));
  line += fmt::format("prompt {}, answer {}", HumanCount(generation.prompt_tokens, "token"),
                      HumanCount(generation.tokens.size(), "token"));
  if (generation.tokens_chosen > 0)
    line += fmt::format("; first token after {}", HumanDuration(FirstTokenSeconds(answer)));
  if (const double rate = TokensPerSecond(generation); rate > 0)
    line += fmt::format(", then {} tokens/s", HumanRate(rate));
  if (answer.saved)
    line += fmt::format("; saved as {}, {}", answer.saved->reference.Text(),
                        StateText(answer.saved->state));
  return line;
}

}  // namespace

void AnswerStream::WriteNow(std::string_view text) {
  if (reader_gone_ || text.empty()) return;
  try {
    context_.out.WriteBytes(text);
    context_.out.Flush();
  } catch (const OutputClosed&) {
    if (!keep_going_) throw;
    reader_gone_ = true;
  }
}

void AnswerStream::Write(std::string_view text) {
  if (form_ == Form::kPieces) return WriteNow(LineOf({{"piece", text}}));
  if (context_.options.json) return;
  WriteNow(context_.out.is_terminal() ? Printable(text, LineBreaks::kKeep) : std::string(text));
}

void AnswerStream::End() {
  if (!context_.options.json) WriteNow("\n");
}

void PrintGenerationFacts(const Context& context, const GenerationReport& answer) {
  if (context.options.json) return context.PrintJson(GenerationJson(answer));
  if (answer.tokenizer != nullptr && !context.options.quiet)
    PrintLogProbabilities(context, answer.generation.choices, *answer.tokenizer);
  context.err.Print("{}\n", context.err.Paint(Colour::kDim, "[" + SummaryLine(answer) + "]"));
}

}  // namespace statelib::cli
