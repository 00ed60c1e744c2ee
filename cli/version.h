// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_VERSION_H_
#define STATELIB_CLI_VERSION_H_

namespace statelib::cli {

/// "0.1.0", the project's.
const char* Version();

}  // namespace statelib::cli

#endif  // STATELIB_CLI_VERSION_H_
