// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_DOCUMENTS_FOLDER_H_
#define STATELIB_STATESTORE_DOCUMENTS_FOLDER_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/cancel.h"

namespace statelib::documents {

/// Which files of a folder are taken.
/// How many steps comparing names with patterns may take, of all names together.
inline constexpr uint64_t kPatternStepsMax = 2'000'000'000;

struct FolderOptions {
  std::vector<std::string> include;  ///< if any, only files that one of these patterns matches
  std::vector<std::string> exclude;  ///< neither files nor folders that one of these matches
  bool hidden = false;               ///< those too whose name begins with a dot
  bool ignore_files = true;          ///< .gitignore files are honoured
  uint64_t pattern_steps_max = kPatternStepsMax;
};

/// What of a folder could not be looked into, and why.
struct UnreadPlace {
  std::filesystem::path path;
  std::string reason;
};

struct FolderFiles {
  std::vector<std::filesystem::path> files;
  std::vector<UnreadPlace> unread;
};

/// The files in a folder and those below, as paths that begin with the folder's, ascending by their
/// bytes. Patterns are those of .gitignore, relative to the folder. .gitignore files count as in
/// git: a nearer one before those above it, up to the root of the repository that the folder is in.
/// .git is never entered. Links are followed. What cannot be read below the folder is left out and
/// said: folders without permission or with a .gitignore that cannot be read, links that lead in a
/// circle, folders nested deeper than 64.
/// Errors, of the folder itself: kNotFound, kIo; kInvalidArgument for more than 100,000 files, a
/// million entries, or patterns that are too much work (pattern_steps_max).
FolderFiles FilesIn(const std::filesystem::path& folder, const FolderOptions& options,
                    const CancelFlag* cancel = nullptr);

}  // namespace statelib::documents

#endif  // STATELIB_STATESTORE_DOCUMENTS_FOLDER_H_
