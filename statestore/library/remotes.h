// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_REMOTES_H_
#define STATELIB_STATESTORE_LIBRARY_REMOTES_H_

#include <optional>
#include <string>
#include <vector>

#include "statestore/library/library.h"

namespace statelib::library {

/// A place that a library exchanges states with.
struct NamedRemote {
  std::string name;
  std::string url;
  std::string token_file;  ///< that holds what proves the user there; empty: none is named
};

/// The remotes of a library by name: LIBRARY/remotes, a line each of name, URL and token file with
/// tabs between them. Secrets are never here. Errors: kCorrupt for a damaged file; kIo.
std::vector<NamedRemote> ListRemotes(const Library& library);
std::optional<NamedRemote> FindRemote(const Library& library, const std::string& name);
/// Refuses an address that has, or may have, a secret in it: user:password@, a query as ?token=…,
/// a fragment. A folder may be called anything. Errors: kInvalidArgument, which does not repeat it.
void RequireNoSecretIn(const std::string& url);
/// Errors: kInvalidArgument when there is one of that name, for a name that is no tag, for control
/// characters and for a secret in the address.
void AddRemote(Library& library, const NamedRemote& remote);
/// Returns whether there was one.
bool RemoveRemote(Library& library, const std::string& name);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_REMOTES_H_
