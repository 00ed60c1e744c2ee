// SPDX-License-Identifier: Apache-2.0
// The program: what is process-wide (signals, standard streams, exit codes) and the one place where
// errors are caught.
#include <unistd.h>

#include <new>

#include "cli/application.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "core/base/error.h"
#include "core/base/translate_errors.h"

namespace statelib::cli {

namespace {

struct Failure {
  const char* kind;
  std::string message;
  int exit_code;
};

/// The notes of a document that was not printed go with the failure's.
void Report(const Failure& failure, bool as_json, Notes& notes, Output& err) {
  try {
    if (as_json) {
      const Json document = {{"error",
                              {{"kind", failure.kind},
                               {"message", failure.message},
                               {"exit_code", failure.exit_code}}},
                             {"notes", notes.Take()}};
      err.WriteBytes(document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
    } else {
      err.Print("{} {}\n", err.Paint(Colour::kRed, "statelib:"), failure.message);
    }
    err.Flush();
  } catch (const std::exception&) {
    // Standard error has gone as well: the exit code is all that can be said.
  }
}

/// What the standard library says of the user's paths, and backends of this machine's devices, is
/// no bug either.
void RunApplication(Application& application, int argc, const char* const* argv) {
  try {
    application.Run(argc, argv);
  } catch (const std::exception&) {
    RethrowTranslated();
  }
}

int RunAndReport(int argc, const char* const* argv) {
  const auto started_at = std::chrono::steady_clock::now();
  const Environment environment = Environment::FromProcess();
  const Interrupt interrupt;
  const Output::Options look{environment.no_colour.empty(), environment.columns};
  Output out(STDOUT_FILENO, "standard output", look);
  Output err(STDERR_FILENO, "standard error", look);
  Application application(out, err, environment, interrupt.flag(), started_at);
  Failure failure;
  try {
    RunApplication(application, argc, argv);
    out.Flush();
    err.Flush();
    return application.exit_code();
  } catch (const OutputClosed&) {
    return kExitOutputClosed;
  } catch (const Error& error) {
    failure = {NameOf(error.kind()), error.what(), ExitCodeOf(error.kind())};
  } catch (const std::bad_alloc&) {
    failure = {NameOf(ErrorKind::kIo),
               "out of memory; close other programs or give this one a smaller input",
               ExitCodeOf(ErrorKind::kIo)};
  } catch (const std::exception& error) {
    failure = {"internal",
               fmt::format("{}; this is a bug in statelib, please report it", error.what()),
               kExitInternal};
  }
  // What a command had printed before it failed, as the findings of `verify`, comes first.
  try {
    out.Flush();
  } catch (const std::exception&) {
  }
  Report(failure, application.wants_json(), application.notes(), err);
  return failure.exit_code;
}

}  // namespace

}  // namespace statelib::cli

int main(int argc, char** argv) { return statelib::cli::RunAndReport(argc, argv); }
