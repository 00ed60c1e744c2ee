// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_FACTS_H_
#define STATELIB_CLI_FACTS_H_

#include <string>
#include <vector>

#include "cli/command.h"
#include "statestore/library/history.h"
#include "statestore/library/ingest.h"
#include "statestore/library/library.h"
#include "statestore/library/save.h"

// The facts that several commands print, each in one form. JSON members keep their names and units
// from version to version; new ones may be added.
namespace statelib::cli {

/// {"name", "tag", "version"}.
Json ReferenceJson(const storage::Reference& reference);
/// {"id", "tokens", "history", "model", "profile", "edited", "tokens_kept", "raw_bytes",
/// "stored_bytes", "created_at"}.
Json StateJson(const storage::StateRow& state);
Json SourcesJson(const std::vector<storage::SourceRecord>& sources);
/// The reference, the state, and whether they were there before.
Json SavedJson(const library::SavedState& saved);

/// What was stored under a name, and what its codec cost or saved, as lines or as JSON.
void PrintSaved(const Context& context, const library::SavedState& saved);
/// What a codec that was asked for cost or saved, as a line; nothing for exact.
std::string StoringText(const library::SavedState& saved);

/// What `checkout` and `undo` did, as one line or as JSON.
void PrintMoved(const Context& context, const library::MovedReference& moved);

/// "handbook@3", or the short id of a state that was named by id.
std::string NameOf(const storage::ResolvedState& state);
/// "handbook.md", "3 files", or "" for none.
std::string SourcesText(const std::vector<storage::SourceRecord>& sources);
/// How long ago, by the machine's clock: "3 h".
std::string AgeOf(int64_t unix_ms);
/// "state 0123456789ab, 700 kB stored in 512 kB".
std::string StateText(const storage::StateRow& state);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_FACTS_H_
