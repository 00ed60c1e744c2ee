// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_DISK_FULL_H_
#define STATELIB_CORE_BASE_DISK_FULL_H_

#include "core/base/error.h"

namespace statelib {

/// kIo for want of space, for those who can do with less or make some.
class DiskFull : public Error {
 public:
  explicit DiskFull(const std::string& message) : Error(ErrorKind::kIo, message) {}
};

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_DISK_FULL_H_
