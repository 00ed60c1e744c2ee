// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_REMOTE_HTTP_REMOTE_H_
#define STATELIB_STATESTORE_REMOTE_HTTP_REMOTE_H_

#include <memory>
#include <string>

#include "core/base/waiting.h"
#include "statestore/remote/remote.h"

namespace statelib::remote {

/// A library that `statelib serve` serves (cli/serve/README.md has the protocol). Transfers that
/// are cut off go on where they were, within a call and in a later one. `token` proves the user;
/// empty: none. A silent one is waited for as `waits` says. Asks nothing yet.
std::unique_ptr<Remote> OpenHttpRemote(const std::string& url, const std::string& token,
                                       const Waits& waits);

}  // namespace statelib::remote

#endif  // STATELIB_STATESTORE_REMOTE_HTTP_REMOTE_H_
