// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/library.h"

#include <chrono>

namespace statelib::library {

Library Library::Open(const std::filesystem::path& path, Access access, FileSystem& files,
                      Clock clock) {
  return {storage::Repository::Open(path, access, files), files, std::move(clock)};
}

Library::Clock Library::SystemClock() {
  return [] {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return int64_t{std::chrono::duration_cast<std::chrono::milliseconds>(now).count()};
  };
}

}  // namespace statelib::library
