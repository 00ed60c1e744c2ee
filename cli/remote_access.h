// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_REMOTE_ACCESS_H_
#define STATELIB_CLI_REMOTE_ACCESS_H_

#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "statestore/library/library.h"
#include "statestore/remote/remote.h"

namespace statelib::cli {

/// A place as a user gives it, in the form in which it is remembered: a folder's absolute path or
/// an address. Errors: kInvalidArgument for a scheme that is not known.
std::string RemoteUrl(const std::string& text);

/// Refuses a folder, of those that RemoteUrl gives, that cannot be a remote. An address is not
/// asked. Errors: those of remote::OpenFolderRemote.
void CheckFolder(const std::string& url);

/// The arguments of a command that begins with a remote: REMOTE, which may be left out where the
/// settings have one, and names of states.
struct RemoteArguments {
  std::string remote;
  std::vector<std::string> names;
};

/// Declares REMOTE and NAME, the latter with this help.
void AddRemoteArguments(Declaration& declaration, RemoteArguments& arguments,
                        const std::string& names_help);
/// Where no remote is named, or the word in its place is none, takes the one of the settings, and
/// that word as a name. Errors: kInvalidArgument where neither names one.
void TakeRemoteOfSettings(const Context& context, const library::Library* library,
                          RemoteArguments& arguments);

/// The remote of that name, else the folder, seen from the current one; for a text with a / in it,
/// the one at that place. Errors: kNotFound with the names there are; those of opening it.
std::unique_ptr<remote::Remote> OpenRemote(const Context& context, const library::Library* library,
                                           const std::string& text);

/// What to call that remote here, as in REMOTE/NAME: its name, else one that is made of the last
/// part of its folder or address. Errors: as OpenRemote.
std::string RemoteName(const library::Library& library, const std::string& text);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_REMOTE_ACCESS_H_
