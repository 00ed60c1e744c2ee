// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_STATESTORE_FILE_TREE_H_
#define STATELIB_TESTS_STATESTORE_FILE_TREE_H_

#include <filesystem>
#include <map>
#include <string>

#include "core/base/file_system.h"

namespace statelib {

using FileTree = std::map<std::string, std::string>;  ///< path inside -> bytes; folders have none

/// Everything in a folder, byte by byte.
inline FileTree TreeOf(const std::filesystem::path& folder) {
  FileTree tree;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    std::string& bytes = tree[entry.path().lexically_relative(folder).string()];
    if (entry.is_regular_file())
      bytes = AsText(FileSystem::Real().ReadFile(entry.path(), uint64_t{1} << 32));
  }
  return tree;
}

/// The first path that is not the same in both; empty where all are.
inline std::string DifferenceOf(const FileTree& before, const FileTree& now) {
  for (const auto& [path, bytes] : before) {
    const auto found = now.find(path);
    if (found == now.end()) return path + " is gone";
    if (found->second != bytes) return path + " has changed";
  }
  for (const auto& [path, bytes] : now)
    if (!before.contains(path)) return path + " is new";
  return "";
}

}  // namespace statelib

#endif  // STATELIB_TESTS_STATESTORE_FILE_TREE_H_
