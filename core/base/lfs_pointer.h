// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_LFS_POINTER_H_
#define STATELIB_CORE_BASE_LFS_POINTER_H_

#include <string>

#include "core/base/bytes.h"

namespace statelib {

/// Whether a file is what git-lfs leaves in place of one that it has not fetched: a few lines of
/// text that name its hash and size.
bool IsLfsPointer(ByteSpan file);

/// Errors: kNotFound for such a file, with what it stands for and how to fetch that.
void RefuseLfsPointer(ByteSpan file, const std::string& path);

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_LFS_POINTER_H_
