// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_STATE_BATCH_H_
#define STATELIB_CLI_STATE_BATCH_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/document_reader.h"
#include "cli/library_access.h"
#include "statestore/library/ingest.h"

namespace statelib::cli {

/// A state that is to be made of files.
struct PlannedState {
  storage::Reference reference;
  std::vector<FileToRead> files;
  library::IngestOptions options;
};

/// What became of a planned state.
struct StateOutcome {
  enum class Kind {
    kBuilt,      ///< the name is new
    kRebuilt,    ///< a new version of the name
    kUnchanged,  ///< it was up to date
    kSkipped,    ///< its file holds no text
    kFailed,
  };
  size_t planned = 0;  ///< which one
  Kind kind = Kind::kBuilt;
  std::optional<library::IngestResult> result = {};  ///< of what was read
  std::optional<storage::ResolvedState> state = {};  ///< of what was up to date
  std::string error = {};                            ///< of what failed
  std::vector<Unread> unread = {};                   ///< of what was read in part
};
const char* NameOf(StateOutcome::Kind kind);  ///< "built", "rebuilt", "unchanged", …

/// What one outcome is, as a line and as JSON.
Shown OutcomeText(const Context& context, const PlannedState& planned, const StateOutcome& outcome);
/// Prints it; with --quiet the name of a state that is there now alone, and what failed as a
/// warning.
void TellOutcome(const Context& context, const PlannedState& planned, const StateOutcome& outcome);
Json OutcomeJson(const PlannedState& planned, const StateOutcome& outcome);

/// How a batch ended.
struct BatchReport {
  std::vector<StateOutcome> outcomes;        ///< in the order in which they came to be
  std::optional<ErrorKind> first_failure{};  ///< of those that failed
  double seconds = 0;
};

/// "4 states: 3 built, 1 unchanged; 5,295 tokens read in 4.1 s (1,290 tokens/s)" as a line.
std::string SummaryText(const BatchReport& report);

/// Makes the states that are not up to date, several side by side, with progress on a terminal.
/// `on_outcome` is called for each as soon as it is known, and may print. A state that cannot be
/// made does not stop the others. The model is loaded for the first that has to be read. Errors:
/// those of ModelWhenNeeded and IngestBatch.
BatchReport MakeStates(const Context& context, library::Library& library, ModelWhenNeeded& model,
                       const std::vector<PlannedState>& states,
                       const std::function<void(const StateOutcome&)>& on_outcome);

/// What MakeStates would do, from the files' bytes alone.
BatchReport ForecastStates(const Context& context, const library::Library& library,
                           ModelWhenNeeded& model, const std::vector<PlannedState>& states,
                           const std::function<void(const StateOutcome&)>& on_outcome);

/// Says at the end what failed. Errors: the first failure's kind.
void ThrowIfFailed(const BatchReport& report);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_STATE_BATCH_H_
