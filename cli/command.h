// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_COMMAND_H_
#define STATELIB_CLI_COMMAND_H_

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "cli/declaration.h"
#include "cli/environment.h"
#include "cli/notes.h"
#include "cli/settings.h"
#include "cli/terminal/output.h"
#include "core/base/waiting.h"

namespace statelib::cli {

/// JSON whose members keep the order in which they were written.
using Json = nlohmann::ordered_json;

/// Options that several commands share.
struct SharedOptions {
  bool json = false;
  bool quiet = false;                       ///< results alone: no narration, progress, notes
  bool verbose = false;                     ///< what was chosen, and why, too
  std::string library;                      ///< empty: the environment's default
  std::optional<double> timeout_seconds{};  ///< how long others are waited for
};

/// Where the library is, and what says so: "--library", "$STATELIB_HOME", "config.toml:1".
struct LibraryPlace {
  std::filesystem::path path;
  std::string why;
};

/// What a command may use of the process. All references outlive the command.
struct Context {
  Output& out;       ///< standard output: results
  Output& err;       ///< standard error: progress, summaries, notes; goes nowhere with --quiet
  Output& warnings;  ///< standard error for what went wrong, with --quiet too
  Notes& notes;
  const Environment& environment;
  const Settings& settings;
  const CancelFlag& cancel;
  const SharedOptions& options;
  const CLI::App& root;  ///< every command and option, for completion scripts
  std::chrono::steady_clock::time_point started_at;  ///< of the process, as main() saw it
  int exit_code = 0;  ///< of a command that has not failed (exit_code.h)

  /// How others are waited for: as long as --timeout says, with a line on standard error that says
  /// for what. It refers to this object.
  Waits HowToWait() const;
  /// --library, or the default. Errors: those of Environment::DefaultLibrary.
  LibraryPlace PlaceOfLibrary() const;
  /// Whether there is one to have.
  bool has_place_of_library() const;
  std::filesystem::path LibraryDirectory() const { return PlaceOfLibrary().path; }
  /// Prints one document on a line of its own (LineOf), an object with the notes of so far in
  /// "notes".
  void PrintJson(const Json& document) const;
  /// Prints what a command has to tell of what it did: the whole lines of `text`, or with --quiet
  /// `result` alone on a line, as a script takes it; nothing where that is empty.
  void Tell(const Shown& text, std::string_view result) const;
  /// Prints one name on a line of its own: what listings print with --quiet.
  void PrintName(std::string_view name) const;
};

/// A document as one line. Bytes that are not UTF-8 become U+FFFD.
std::string LineOf(const Json& document);

/// One command of the command line. An object lives for one run of the program; its members are the
/// values of its options.
class Command {
 public:
  virtual ~Command() = default;

  /// Declares arguments, options and examples. Called at most once, before Run().
  virtual void Declare(Declaration& declaration, SharedOptions& shared) = 0;
  /// Whether a broken file of settings stands in its way.
  virtual bool needs_settings() const { return true; }
  /// Whether it looks at what other commands declare.
  virtual bool describes_others() const { return false; }
  /// Does the work. Errors: statelib::Error of any kind; OutputClosed.
  virtual void Run(Context& context) = 0;
};

/// The options that every command has: --quiet and --verbose.
void AddCommonOptions(Declaration& declaration, SharedOptions& shared);
void AddJsonOption(Declaration& declaration, SharedOptions& shared);
void AddLibraryOption(Declaration& declaration, SharedOptions& shared);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_COMMAND_H_
