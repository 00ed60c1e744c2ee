// SPDX-License-Identifier: Apache-2.0
#include "cli/interrupt.h"

#include <signal.h>

namespace statelib::cli {

namespace {

// A signal handler reaches nothing but what is static.
CancelFlag& ProcessFlag() {
  static CancelFlag flag;
  return flag;
}

void Cancel(int /*signal*/) { ProcessFlag().Cancel(); }

}  // namespace

Interrupt::Interrupt() {
  ProcessFlag();
  struct sigaction once = {};
  once.sa_handler = Cancel;
  once.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&once.sa_mask);
  ::sigaction(SIGINT, &once, nullptr);
  ::sigaction(SIGTERM, &once, nullptr);
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, nullptr);
  ::sigaction(SIGXFSZ, &ignore, nullptr);
}

const CancelFlag& Interrupt::flag() const { return ProcessFlag(); }

}  // namespace statelib::cli
