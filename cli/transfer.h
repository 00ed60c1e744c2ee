// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_TRANSFER_H_
#define STATELIB_CLI_TRANSFER_H_

#include "cli/command.h"
#include "statestore/library/exchange.h"

// What the commands that carry states between libraries have in common.
namespace statelib::cli {

/// What stays behind.
struct LeftOut {
  bool lineage = false;
  bool sources = false;
  bool tokens = false;
};

/// --all-versions, --no-lineage, --no-sources, --no-tokens.
void AddCarryingOptions(Declaration& declaration, library::Selection& selection, LeftOut& left_out);
storage::ManifestOptions ToManifestOptions(const LeftOut& left_out);

/// --max-bytes: how large a state from outside may be (storage::Admission).
void AddMaxBytesOption(Declaration& declaration, std::string& max_bytes);
/// Errors: those of ParseBytes.
uint64_t MaxBytesOf(const std::string& max_bytes);

/// {"dry_run", "references", "objects_added", "objects_present", "bytes_added"}.
Json ImportJson(const storage::ImportReport& report, bool dry_run);
/// [{"from", "to"}], and a line each.
Json RenamedJson(const std::vector<storage::RenamedModel>& models);
void PrintRenamed(Context& context, const std::vector<storage::RenamedModel>& models);
/// A line for each reference, and one for the objects.
void PrintImport(Context& context, const storage::ImportReport& report, bool dry_run);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_TRANSFER_H_
