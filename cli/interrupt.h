// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_INTERRUPT_H_
#define STATELIB_CLI_INTERRUPT_H_

#include "core/base/cancel.h"

namespace statelib::cli {

/// Turns the first SIGINT or SIGTERM into a cancelled flag; the second one ends the process as if
/// nobody had listened. System calls that wait are interrupted (EINTR) by the first. SIGPIPE and
/// SIGXFSZ are ignored: writes fail instead. One object a process, for the process's life.
class Interrupt {
 public:
  Interrupt();

  const CancelFlag& flag() const;
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_INTERRUPT_H_
