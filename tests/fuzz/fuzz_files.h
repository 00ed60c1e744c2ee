// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_FUZZ_FUZZ_FILES_H_
#define STATELIB_TESTS_FUZZ_FUZZ_FILES_H_

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "core/base/bytes.h"

namespace statelib {

/// A folder in memory, where there is such a place: a disk that is busy would make the fuzzer wait,
/// or take an input for one that hangs. Gone with the object.
class MemoryFolder {
 public:
  explicit MemoryFolder(const std::string& name) {
    const std::filesystem::path memory = "/dev/shm";
    path_ =
        (std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path()) /
        (name + "-" + std::to_string(::getpid()));
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  MemoryFolder(const MemoryFolder&) = delete;
  MemoryFolder& operator=(const MemoryFolder&) = delete;
  ~MemoryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path Write(const std::string& name, ByteSpan bytes) const {
    std::filesystem::remove(path_ / name);  // some file systems write out at once what is cut
    std::ofstream(path_ / name, std::ios::binary) << AsText(bytes);
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace statelib

#endif  // STATELIB_TESTS_FUZZ_FUZZ_FILES_H_
