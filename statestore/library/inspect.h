// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_INSPECT_H_
#define STATELIB_STATESTORE_LIBRARY_INSPECT_H_

#include <optional>
#include <string>
#include <vector>

#include "statestore/library/library.h"

namespace statelib::library {

/// The references that a query finds, with the states that they name now.
std::vector<storage::ReferenceRow> List(const Library& library,
                                        const storage::ReferenceQuery& query);

struct SegmentDetails {
  SegmentSpec spec;
  std::string codec;  ///< "exact"
  uint64_t raw_bytes = 0;
  uint64_t stored_bytes = 0;
};

/// Everything known about one state.
struct StateDetails {
  storage::ResolvedState resolved;
  std::string model_name;  ///< empty: nobody has named it
  storage::ModelIdentity model;
  std::filesystem::path object_path;
  std::vector<std::string> names;         ///< every "name:tag@number" that leads to it
  std::vector<storage::ProofRow> proofs;  ///< newest first; empty: never proved
  std::optional<storage::CheckpointRow> checkpoint;
  std::vector<storage::Derivation> lineage;  ///< its own first; empty when named by id
  std::vector<SegmentDetails> segments;
  std::optional<storage::Fidelity> fidelity;  ///< of a state that a lossy codec made
  uint64_t token_chunks = 0;
  uint64_t token_chunk_bytes = 0;  ///< stored; chunks may be shared with other states
};

/// Reads the index and the object's header, no segment. Errors: those of Resolve; kCorrupt,
/// kNotFound (object).
StateDetails Show(const Library& library, const std::string& text);

/// One version of a reference and how it came to be.
struct LogEntry {
  storage::VersionRow version;
  storage::Derivation derivation;
  /// The name and version that this one was made from, NAME[:TAG]@N: as it is called now, else as
  /// it was called then; of an import, where it comes from. Empty: from nothing, or from a state
  /// that was named by its id.
  std::string made_from;
  uint64_t token_count = 0;
};

/// The versions that NAME[:TAG] has had, newest first; with @N or @{MOMENT} those up to that one.
/// Errors: those of Resolve.
std::vector<LogEntry> Log(const Library& library, const std::string& text);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_INSPECT_H_
