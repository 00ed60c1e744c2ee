// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_LIBRARY_STATE_NAMES_H_
#define STATELIB_STATESTORE_LIBRARY_STATE_NAMES_H_

#include <span>
#include <string>
#include <vector>

#include "statestore/storage/reference.h"

namespace statelib::library {

/// A file that a state is to be made of.
struct FileToName {
  std::string place;  ///< relative, with "/": what the name is made of
  std::string shown;  ///< as the user named it: tells files of one place apart
};

/// What states of one file each are called: the prefix's name, "/", and the file's path without its
/// last extension, letters and digits of any script as they are and each run of characters that
/// names do not have as one "-"; the tag is the prefix's. "docs" and "guide/First steps.md" give
/// "docs/guide/First-steps". Files that would get one name keep their extensions, and where those
/// are equal too, they get a suffix from the hash of their path: what a file is called depends on
/// the files that it could be taken for, never on their order. Errors: kInvalidArgument for a file
/// that is there twice; for a name that is too long; for a prefix with a version.
std::vector<storage::Reference> NamesForFiles(const storage::Reference& prefix,
                                              std::span<const FileToName> files);

}  // namespace statelib::library

#endif  // STATELIB_STATESTORE_LIBRARY_STATE_NAMES_H_
