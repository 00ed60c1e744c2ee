// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SERVE_ERROR_TEXT_H_
#define STATELIB_CLI_SERVE_ERROR_TEXT_H_

#include <filesystem>
#include <string>

namespace statelib::cli {

/// An error's message without what it says of this machine, fit for a client: the library's folder
/// is left out before what lies in it, and every other absolute path is "(a file)".
std::string WithoutPaths(std::string message, const std::filesystem::path& library);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SERVE_ERROR_TEXT_H_
