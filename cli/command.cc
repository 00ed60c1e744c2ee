// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

namespace statelib::cli {

std::filesystem::path Context::LibraryDirectory() const {
  return options.library.empty() ? environment.DefaultLibrary()
                                 : std::filesystem::path(options.library);
}

void Context::PrintJson(const Json& document) const {
  out.WriteBytes(document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

void AddJsonOption(Declaration& declaration, SharedOptions& shared) {
  declaration.Flag("--json", shared.json, "Print one JSON document; errors too, on standard error");
}

void AddLibraryOption(Declaration& declaration, SharedOptions& shared) {
  declaration.Option("--library", &shared.library,
                     "The library's folder (default: $STATELIB_HOME, else $XDG_DATA_HOME/statelib, "
                     "else ~/.local/share/statelib)",
                     {.shown_as = "DIR"});
}

}  // namespace statelib::cli
