// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_WHERE_H_
#define STATELIB_CLI_WHERE_H_

#include <string>

#include "statestore/library/library.h"

namespace statelib::cli {

/// Narrows a query by one condition: model=NAME, tag=TAG, source=PATTERN, or age, size or tokens
/// with <, <=, >, >= or = and a value, as "age<7d", "size>1MB", "tokens>=1000". Errors:
/// kInvalidArgument with the forms there are; kNotFound for a model that is not known.
void AddCondition(const library::Library& library, const std::string& condition,
                  storage::ReferenceQuery* query);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_WHERE_H_
