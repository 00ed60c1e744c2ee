// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_PEAK_MEMORY_H_
#define STATELIB_TESTS_PEAK_MEMORY_H_

#include <malloc.h>

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

#include "tests/sanitized.h"

namespace statelib {

/// One line of /proc/self/status, in bytes.
inline uint64_t StatusBytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key + ":")) return std::stoull(line.substr(key.size() + 1)) * 1024;
  }
  return 0;
}

/// By how much the memory in use rises above what it is now while `work` is done; empty where the
/// system does not say, or says it of a sanitizer.
template <typename Work>
std::optional<uint64_t> PeakOf(const Work& work) {
  if (kIsSanitized) {
    work();
    return std::nullopt;
  }
  ::malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";
  const uint64_t before = StatusBytes("VmRSS");
  if (before == 0 || StatusBytes("VmHWM") > before + (1u << 20)) {
    work();
    return std::nullopt;
  }
  work();
  return StatusBytes("VmHWM") - before;
}

}  // namespace statelib

#endif  // STATELIB_TESTS_PEAK_MEMORY_H_
