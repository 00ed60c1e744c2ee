// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_KERNELS_CHECK_H_
#define STATELIB_KERNELS_CHECK_H_

#include <cstdio>
#include <cstdlib>

/// Ends the process on a mistake in this program itself. Never for a file, a flag, a request or a
/// missing device.
#define STATELIB_CHECK(condition)                                                                 \
  do {                                                                                            \
    if (!(condition)) {                                                                           \
      std::fprintf(stderr, "%s:%d: internal check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                               \
    }                                                                                             \
  } while (false)

#endif  // STATELIB_KERNELS_CHECK_H_
