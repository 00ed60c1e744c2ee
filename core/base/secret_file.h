// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_SECRET_FILE_H_
#define STATELIB_CORE_BASE_SECRET_FILE_H_

#include <filesystem>

namespace statelib {

/// Refuses a file that holds a secret (`what`: "a token") and that others than its owner may read
/// or change. Only regular files have something to refuse: a pipe is nobody else's, and one that is
/// not there is missed by the one who opens it. Errors: kInvalidArgument, with what to do.
void RequireSecret(const std::filesystem::path& path, const char* what);

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_SECRET_FILE_H_
