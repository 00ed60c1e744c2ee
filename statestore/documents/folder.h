// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_DOCUMENTS_FOLDER_H_
#define STATELIB_STATESTORE_DOCUMENTS_FOLDER_H_

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/cancel.h"

namespace statelib::documents {

/// Which files of a folder are taken.
struct FolderOptions {
  std::vector<std::string> include;  ///< if any, only files that one of these patterns matches
  std::vector<std::string> exclude;  ///< neither files nor folders that one of these matches
  bool hidden = false;               ///< those too whose name begins with a dot
  bool ignore_files = true;          ///< .gitignore files are honoured
};

/// The files in a folder and those below, as paths that begin with the folder's, ascending by their
/// bytes. Patterns are those of .gitignore, relative to the folder. .gitignore files count as in
/// git: a nearer one before those above it, up to the root of the repository that the folder is in.
/// .git is never entered. Links are followed.
/// Errors: kNotFound, kIo; kInvalidArgument for a folder that contains itself by a link, for more
/// than 100,000 files or a million entries, and for folders nested deeper than 64.
std::vector<std::filesystem::path> FilesIn(const std::filesystem::path& folder,
                                           const FolderOptions& options,
                                           const CancelFlag* cancel = nullptr);

}  // namespace statelib::documents

#endif  // STATELIB_STATESTORE_DOCUMENTS_FOLDER_H_
