// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_REMOTE_FOLDER_REMOTE_H_
#define STATELIB_STATESTORE_REMOTE_FOLDER_REMOTE_H_

#include <filesystem>
#include <memory>

#include "core/base/file_system.h"
#include "statestore/remote/blob_remote.h"

namespace statelib::remote {

/// A remote in a folder, which may be a network share: files appear whole by rename, and new
/// catalogues by link, which is atomic there too. The folder exists; nothing outside it is touched.
/// Errors: kNotFound when it does not exist; kInvalidArgument when it holds something else.
std::unique_ptr<Remote> OpenFolderRemote(const std::filesystem::path& folder,
                                         FileSystem& files = FileSystem::Real());

}  // namespace statelib::remote

#endif  // STATELIB_STATESTORE_REMOTE_FOLDER_REMOTE_H_
