// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_ANSWER_H_
#define STATELIB_CLI_ANSWER_H_

#include <chrono>
#include <optional>
#include <string_view>

#include "cli/command.h"
#include "core/engine/generator.h"
#include "statestore/library/save.h"

namespace statelib::cli {

/// All that `generate` knows when it is done.
struct Answer {
  std::optional<storage::ResolvedState> origin;  ///< empty: from nothing
  std::optional<storage::ModelIdentity> model;   ///< empty: not asked for its identity
  uint64_t tokens_restored = 0;
  double restore_seconds = 0;
  std::chrono::steady_clock::time_point started_at;  ///< the process
  std::chrono::steady_clock::time_point first_token_at;
  engine::Generation generation;
  std::optional<library::SavedState> saved;
};

/// Shows an answer while it is made: as it is on a pipe, without control characters on a terminal,
/// not at all for --json. One thread.
class AnswerStream {
 public:
  /// keep_going: a reader that goes away ends the printing and not the answer, which is saved.
  AnswerStream(const Context& context, bool keep_going)
      : context_(context), keep_going_(keep_going) {}

  void Write(std::string_view text);
  /// Ends the last line, on a terminal also where the answer did not.
  void End();

 private:
  void WriteNow(std::string_view text);

  const Context& context_;
  bool keep_going_;
  bool reader_gone_ = false;
};

/// The summary line on standard error, or the JSON document on standard output.
void PrintAnswerFacts(const Context& context, const Answer& answer);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_ANSWER_H_
