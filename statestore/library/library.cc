// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/library.h"

namespace statelib::library {

Library Library::Open(const std::filesystem::path& path, Access access, FileSystem& files,
                      Clock clock) {
  return {storage::Repository::Open(path, access, files), files, std::move(clock)};
}

Library::Clock Library::SystemClock() { return storage::UnixMilliseconds; }

}  // namespace statelib::library
