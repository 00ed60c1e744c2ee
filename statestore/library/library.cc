// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/library.h"

namespace statelib::library {

Library Library::Open(const std::filesystem::path& path, Access access, FileSystem& files,
                      Clock clock, const Waits& waits) {
  return {storage::Repository::Open(path, access, files, waits), files, std::move(clock)};
}

Library Library::Init(const std::filesystem::path& path, storage::Sharing sharing) {
  FileSystem& files = FileSystem::Real();
  return {storage::Repository::Init(path, sharing, files), files, SystemClock()};
}

Library::Clock Library::SystemClock() { return storage::UnixMilliseconds; }

}  // namespace statelib::library
