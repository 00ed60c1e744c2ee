// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/file_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace statelib::cli {

namespace {

constexpr size_t kOtherFiles = 32;
/// Of a request: the index with its log and shared memory, a lease, an object, an upload.
constexpr size_t kFilesPerRequest = 8;
constexpr size_t kConnectionsMin = 16;

}  // namespace

size_t RaiseFileLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  return limit.rlim_cur == RLIM_INFINITY ? SIZE_MAX : static_cast<size_t>(limit.rlim_cur);
}

size_t FilesNeeded(const ServerLimits& limits) {
  return limits.connections + limits.threads * kFilesPerRequest + kOtherFiles;
}

ServerLimits FittedTo(ServerLimits limits, size_t files) {
  const size_t needed = FilesNeeded(limits);
  if (needed <= files) return limits;
  const size_t missing = std::min(needed - files, limits.connections);
  limits.connections = std::max(limits.connections - missing, kConnectionsMin);
  limits.connections_per_address = std::min(limits.connections_per_address, limits.connections);
  return limits;
}

}  // namespace statelib::cli
