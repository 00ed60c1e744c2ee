// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

namespace statelib::cli {

std::filesystem::path Context::LibraryDirectory() const {
  return options.library.empty() ? environment.DefaultLibrary()
                                 : std::filesystem::path(options.library);
}

void Context::PrintJson(const Json& document) const {
  out.Write(document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

void AddJsonOption(CLI::App& app, SharedOptions& shared) {
  app.add_flag("--json", shared.json, "Print one JSON document; errors too, on standard error");
}

void AddLibraryOption(CLI::App& app, SharedOptions& shared) {
  app.add_option("--library", shared.library,
                 "The library's folder (default: $STATELIB_HOME, else $XDG_DATA_HOME/statelib, "
                 "else ~/.local/share/statelib)")
      ->type_name("DIR");
}

void AddExamples(CLI::App& app, const std::string& lines) { app.footer("Examples:\n" + lines); }

}  // namespace statelib::cli
