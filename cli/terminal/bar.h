// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_TERMINAL_BAR_H_
#define STATELIB_CLI_TERMINAL_BAR_H_

#include <cstddef>
#include <string>

namespace statelib::cli {

/// A horizontal bar, `columns` wide, filled to a fraction in [0, 1] in eighths of a column; the
/// rest is dots. A fraction above zero shows at least an eighth.
std::string Bar(double fraction, size_t columns);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_TERMINAL_BAR_H_
