// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include "core/base/printable.h"

namespace statelib::cli {

namespace {

constexpr double kTimeoutSecondsMax = 1e9;

}  // namespace

LibraryPlace Context::PlaceOfLibrary() const {
  if (!options.library.empty()) return {options.library, "--library"};
  if (!environment.statelib_home.empty()) return {environment.statelib_home, "$STATELIB_HOME"};
  if (const Settings::Value* set = settings.Find("library"))
    return {environment.Expanded(set->text), settings.PlaceOf(*set)};
  return {environment.DefaultLibrary(), "the default place"};
}

bool Context::has_place_of_library() const {
  return !options.library.empty() || settings.Find("library") != nullptr ||
         environment.has_default_library();
}

Waits Context::HowToWait() const {
  Waits waits(&cancel);
  if (options.timeout_seconds) {
    const double given = *options.timeout_seconds;
    const double seconds = given < kTimeoutSecondsMax ? given : kTimeoutSecondsMax;
    waits.timeout = std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
  }
  waits.on_wait = [&err = err](const std::string& what) {
    err.Print("{}waiting for {}\n", err.is_terminal() ? "\r\x1b[K" : "", Printable(what));
    err.Flush();
  };
  return waits;
}

void Context::PrintJson(const Json& document) const {
  Json whole = document;
  if (whole.is_object()) {
    Json& list = whole["notes"];
    if (list.is_null()) list = Json::array();
    for (std::string& note : notes.Take()) list.push_back(std::move(note));
  }
  out.WriteBytes(LineOf(whole));
}

std::string LineOf(const Json& document) {
  return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void AddCommonOptions(Declaration& declaration, SharedOptions& shared) {
  declaration.Flag("-q,--quiet", shared.quiet,
                   "Print results alone: names in listings, no progress, no notes");
  declaration.Flag("-v,--verbose", shared.verbose,
                   "Say more: what was chosen (library, model, threads) and why");
}

void Context::Tell(const Shown& text, std::string_view result) const {
  if (!options.quiet) return out.Write(text);
  if (!result.empty()) PrintName(result);
}

void Context::PrintName(std::string_view name) const { out.Print("{}\n", name); }

void AddJsonOption(Declaration& declaration, SharedOptions& shared) {
  declaration.Flag("--json", shared.json, "Print one JSON document; errors too, on standard error");
}

void AddLibraryOption(Declaration& declaration, SharedOptions& shared) {
  declaration.Option(
      "--library", &shared.library,
      "The library's folder (default: $STATELIB_HOME, else `library` of the settings, else "
      "$XDG_DATA_HOME/statelib, else ~/.local/share/statelib)",
      {.shown_as = "DIR"});
  declaration.Option("--timeout", &shared.timeout_seconds,
                     "How long to wait for others: for a lock of the library (default: 600), for a "
                     "remote that is silent (default: 60)",
                     {.shown_as = "SECONDS"});
}

}  // namespace statelib::cli
