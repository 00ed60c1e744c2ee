// SPDX-License-Identifier: Apache-2.0
#include "cli/output_option.h"

#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/printable.h"

namespace statelib::cli {

namespace {

bool IsStandardOutput(const std::string& file) {
  struct stat named {};
  struct stat out {};
  return file == "-" || (::stat(file.c_str(), &named) == 0 && ::fstat(STDOUT_FILENO, &out) == 0 &&
                         named.st_dev == out.st_dev && named.st_ino == out.st_ino);
}

}  // namespace

Context ContextBeside(const Context& context, const std::string& file) {
  if (file == "-" && context.out.is_terminal()) {
    Throw(ErrorKind::kInvalidArgument,
          "standard output is a terminal, and the file is no text; name a file or pipe it on");
  }
  return {IsStandardOutput(file) ? context.err : context.out,
          context.err,
          context.warnings,
          context.notes,
          context.environment,
          context.settings,
          context.cancel,
          context.options,
          context.root,
          context.started_at};
}

std::string NameOfOutput(const std::string& file) {
  return file == "-" ? "standard output" : Printable(file);
}

}  // namespace statelib::cli
