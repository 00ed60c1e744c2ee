// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_GENERATION_REPORT_H_
#define STATELIB_CLI_GENERATION_REPORT_H_

#include <chrono>
#include <optional>
#include <string_view>

#include "cli/command.h"
#include "core/engine/generator.h"
#include "statestore/library/save.h"

namespace statelib::cli {

/// All that `generate` knows when it is done.
struct GenerationReport {
  std::optional<storage::ResolvedState> origin;  ///< empty: from nothing
  std::optional<storage::ModelIdentity> model;   ///< empty: not asked for its identity
  uint64_t tokens_restored = 0;
  double restore_seconds = 0;
  std::chrono::steady_clock::time_point started_at;  ///< the process
  std::chrono::steady_clock::time_point first_token_at;
  engine::Generation generation;
  std::optional<library::SavedState> saved;
  /// Where log-probabilities are to be shown; outlives the object.
  const tokenizer::Tokenizer* tokenizer = nullptr;
};

/// Shows an answer while it is made. One thread.
class AnswerStream {
 public:
  enum class Form {
    kText,   ///< as it is on a pipe, without control characters on a terminal; nothing with --json
    kPieces  ///< a line {"piece": "…"} for each piece
  };

  /// keep_going: a reader that goes away ends the printing and not the answer, which is saved.
  AnswerStream(const Context& context, Form form, bool keep_going = false)
      : context_(context), form_(form), keep_going_(keep_going) {}

  void Write(std::string_view text);
  /// Ends the last line, on a terminal also where the answer did not.
  void End();

 private:
  void WriteNow(std::string_view text);

  const Context& context_;
  Form form_;
  bool keep_going_;
  bool reader_gone_ = false;
};

/// The members that every answer has in JSON.
Json GenerationFactsJson(const GenerationReport& answer);

/// The summary line on standard error, or the JSON document on standard output; log-probabilities,
/// where there are some, before it on standard output or in the document.
void PrintGenerationFacts(const Context& context, const GenerationReport& answer);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_GENERATION_REPORT_H_
