// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_TRANSFER_H_
#define STATELIB_STATESTORE_LIBRARY_TRANSFER_H_

#include <string>
#include <vector>

#include "statestore/library/exchange.h"
#include "statestore/library/keys.h"
#include "statestore/library/library.h"
#include "statestore/remote/remote.h"

// States between a library and a remote. Each version travels with a signed manifest of its own;
// of the objects only those that are missing travel. A command that was cut off goes on where it
// was when it is run again.
namespace statelib::library {

struct PushOptions {
  bool dry_run = false;
  bool force = false;  ///< supersedes versions that this library has never had
  storage::ManifestOptions manifest;
  const SigningKey* key = nullptr;  ///< null: what is pushed is not signed
  storage::TransferControl control;
};

struct PushedVersion {
  storage::Reference from;  ///< here, with its version
  storage::StateId state;   ///< as it travels: without tokens it is another object
  bool there_before = false;
};

struct PushReport {
  std::vector<PushedVersion> versions;
  uint64_t objects_sent = 0;
  uint64_t objects_present = 0;
  uint64_t bytes_sent = 0;
};

/// What a transfer says that was stopped when so many objects had travelled. Throws kCancelled.
[[noreturn]] void ThrowStopped(uint64_t objects);

/// Sends states and makes them the newest versions of their names on the remote. A state that a
/// name has had there already changes nothing; what others push meanwhile stays. A name goes on
/// there only from a version that it has had here, at any time, or that was pulled or pushed from
/// here; else nothing is sent. Errors: kMismatch for such a name, with both versions and what to
/// do, unless `force`; those of ResolveAll and Remote; kBusy when others push without pause.
PushReport Push(Library& library, remote::Remote& remote, const Selection& selection,
                const PushOptions& options);

/// The versions of a remote that NAME[:TAG][@N] name; NAME and TAG may hold * ? [a-z]. The newest
/// one of each name, or with all_versions each. No names: everything. Errors: kNotFound with the
/// nearest names; kInvalidArgument.
std::vector<storage::RemoteVersion> SelectVersions(
    const std::vector<storage::RemoteVersion>& versions, const Selection& selection,
    const std::string& location);

/// What a version of NAME is called here where NAME is something else already: REMOTE/NAME.
std::string NameBeside(const std::string& remote_name, const std::string& name);
/// Whether a reference is such a name of that remote, and names what was pulled under it.
bool IsKeptBeside(const Library& library, const std::string& remote_name,
                  const storage::ReferenceRow& row);

struct PullOptions {
  bool dry_run = false;
  SignerPolicy policy;
  storage::TransferControl control;
  uint64_t max_state_bytes = storage::Admission::kStateBytesMax;  ///< see Admission
  ModelPlace embedded = {};                                       ///< as of Import
  std::string remote_name = "remote";  ///< what the remote is called here, as in REMOTE/NAME
};

struct PulledVersion {
  storage::RemoteVersion from;
  SignerReport signer;
  storage::Reference reference;  ///< here; after a dry run without a version
  bool there_before = false;     ///< the name has had the state here already
  /// What the version's name stands for here, where that is nothing that the remote has had: both
  /// are kept, and `reference` is of another name.
  std::optional<storage::Reference> diverged_from = {};
};

struct PullReport {
  std::vector<PulledVersion> versions;
  uint64_t objects_fetched = 0;
  uint64_t objects_present = 0;
  uint64_t bytes_fetched = 0;
  std::vector<storage::RenamedModel> renamed_models;
};

/// Fetches versions and makes them the newest of their names here. All that a bundle's import
/// checks is checked before a version becomes visible. A state that a name has had here already
/// changes nothing. Where a name stands for a state here that the remote has not had under it, it
/// stays, and what is pulled becomes a version of REMOTE/NAME; it counts as had by NAME. Errors:
/// kMismatch for a signer that the policy refuses; kInvalidArgument where REMOTE/NAME is something
/// else here; those of SelectVersions and Remote; versions that were pulled before the error stay.
PullReport Pull(Library& library, remote::Remote& remote, KeyRing& keys, const Selection& selection,
                const PullOptions& options);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_TRANSFER_H_
