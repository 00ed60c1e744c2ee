// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_REMOTE_ACCESS_H_
#define STATELIB_CLI_REMOTE_ACCESS_H_

#include <memory>
#include <string>

#include "cli/command.h"
#include "statestore/library/library.h"
#include "statestore/remote/remote.h"

namespace statelib::cli {

/// A place as a user gives it, in the form in which it is remembered: a folder's absolute path or
/// an address. Errors: kInvalidArgument for a scheme that is not known.
std::string RemoteUrl(const std::string& text);

/// The remote of that name, or, for a text with a / in it, the one at that place.
/// Errors: kNotFound with the names there are; those of opening it.
std::unique_ptr<remote::Remote> OpenRemote(const Context& context, const library::Library* library,
                                           const std::string& text);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_REMOTE_ACCESS_H_
