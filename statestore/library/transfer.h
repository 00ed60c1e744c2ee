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
/// name has had there already changes nothing; what others push meanwhile stays. Errors: those of
/// ResolveAll and Remote; kBusy when others push without pause.
PushReport Push(const Library& library, remote::Remote& remote, const Selection& selection,
                const PushOptions& options);

/// The versions of a remote that NAME[:TAG][@N] name; NAME and TAG may hold * ? [a-z]. The newest
/// one of each name, or with all_versions each. No names: everything. Errors: kNotFound with the
/// nearest names; kInvalidArgument.
std::vector<storage::RemoteVersion> SelectVersions(
    const std::vector<storage::RemoteVersion>& versions, const Selection& selection,
    const std::string& where);

struct PullOptions {
  bool dry_run = false;
  SignerPolicy policy;
  storage::TransferControl control;
  uint64_t max_state_bytes = storage::Admission::kStateBytesMax;  ///< see Admission
  ModelPlace embedded = {};                                       ///< as of Import
};

struct PulledVersion {
  storage::RemoteVersion from;
  SignerReport signer;
  storage::Reference reference;  ///< here; after a dry run without a version
  bool there_before = false;     ///< the name has had the state here already
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
/// changes nothing. Errors: kMismatch for a signer that the policy refuses; those of SelectVersions
/// and Remote; versions that were pulled before the error stay.
PullReport Pull(Library& library, remote::Remote& remote, KeyRing& keys, const Selection& selection,
                const PullOptions& options);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_TRANSFER_H_
