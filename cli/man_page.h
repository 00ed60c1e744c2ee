// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_MAN_PAGE_H_
#define STATELIB_CLI_MAN_PAGE_H_

#include <string>

namespace CLI {
class App;
}

namespace statelib::cli {

/// What the manual calls a command: "statelib-model-add".
std::string ManPageName(const CLI::App& app);

/// The manual's page of one command, section 1, in the macros of man(7), from the declarations that
/// its --help is made of.
std::string ManPage(const CLI::App& app);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_MAN_PAGE_H_
