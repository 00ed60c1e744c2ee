// SPDX-License-Identifier: Apache-2.0
#include "cli/version.h"

namespace statelib::cli {

const char* Version() { return STATELIB_VERSION; }

}  // namespace statelib::cli
