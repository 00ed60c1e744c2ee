// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_NOTES_H_
#define STATELIB_CLI_NOTES_H_

#include <string>
#include <string_view>
#include <vector>

#include "cli/terminal/output.h"

namespace statelib::cli {

/// What a command has to say beside its result: a line each on standard error, or, where the result
/// is JSON, the member "notes" of the document that is printed next. One thread.
class Notes {
 public:
  enum class Kind {
    kPlain,    ///< "no states in …": it says why a result is empty
    kNote,     ///< something that is not plain, and no harm
    kWarning,  ///< something that the user should see to
    kDetail    ///< what -v asks for
  };

  /// `err` outlives the object.
  explicit Notes(Output& err) : err_(err) {}

  /// From now on notes are kept for a document.
  void KeepForJson() { keeps_ = true; }
  /// From now on only warnings and details count.
  void LeaveOutHarmless() { leaves_out_harmless_ = true; }
  /// Says it, or keeps it. Errors: those of Output::Write.
  void Add(Kind kind, std::string_view text);
  /// What was kept and not taken yet, "warning: " before each warning.
  std::vector<std::string> Take();

 private:
  Output& err_;
  bool keeps_ = false;
  bool leaves_out_harmless_ = false;
  std::vector<std::string> kept_;
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_NOTES_H_
