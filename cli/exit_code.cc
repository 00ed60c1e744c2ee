// SPDX-License-Identifier: Apache-2.0
#include "cli/exit_code.h"

namespace statelib::cli {

int ExitCodeOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument:
      return 2;
    case ErrorKind::kNotFound:
      return 3;
    case ErrorKind::kCorrupt:
      return 4;
    case ErrorKind::kMismatch:
      return 5;
    case ErrorKind::kBusy:
      return 6;
    case ErrorKind::kIo:
      return 7;
    case ErrorKind::kUnsupported:
      return 8;
    case ErrorKind::kCancelled:
      return 130;
  }
  return kExitInternal;
}

const char* ExitCodesHelp() {
  return "Exit codes:\n"
         "  0    done\n"
         "  1    `status`: documents are not as they were read; else internal: a bug in statelib\n"
         "  2    invalid_argument: the command line or an input makes no sense\n"
         "  3    not_found: no such state, model or file\n"
         "  4    corrupt: stored bytes are not what was written\n"
         "  5    mismatch: sound things that do not belong together, as a state and another model\n"
         "  6    busy: somebody else holds it, or is silent, for longer than --timeout; try again\n"
         "  7    io: the operating system refused (disk full, permission, memory)\n"
         "  8    unsupported: of a version or with a feature that this statelib does not have\n"
         "  9    partial: done, but for what of a folder could not be read; it is named\n"
         "  130  cancelled: stopped by Ctrl-C\n";
}

}  // namespace statelib::cli
