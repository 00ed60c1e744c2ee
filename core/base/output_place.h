// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_OUTPUT_PLACE_H_
#define STATELIB_CORE_BASE_OUTPUT_PLACE_H_

#include <filesystem>

namespace statelib {

/// Where a path leads when its last part is a symbolic link, or a link to a link; nothing has to be
/// there. Errors: kIo for a loop of links.
std::filesystem::path FollowLinks(const std::filesystem::path& path);

/// Where what is written to a path goes.
struct OutputPlace {
  std::filesystem::path path;
  bool is_stream = false;  ///< written through, with FileSystem::OpenStream, and never replaced
};

/// Follows symbolic links: a file that one leads to is the place, also one that is not there yet,
/// so that replacing it leaves the link as it is. What is there and is no regular file, as a device
/// or a FIFO, is a stream; so are "-", which is standard output, and the process's own descriptors
/// (/dev/stdout, /dev/fd/3). Errors: kInvalidArgument for a folder; kIo for a loop of links.
OutputPlace FindOutputPlace(const std::filesystem::path& path);

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_OUTPUT_PLACE_H_
