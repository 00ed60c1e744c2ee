// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SERVE_FILE_BODY_H_
#define STATELIB_CLI_SERVE_FILE_BODY_H_

#include <filesystem>

#include "cli/serve/http_message.h"

namespace statelib::cli {

/// A part of a file: where it begins and how long it is.
struct ByteRange {
  uint64_t first = 0;
  uint64_t bytes = 0;
};

/// The part that a Range header asks for (RFC 9110, section 14): "bytes=FIRST-", "bytes=FIRST-LAST"
/// or "bytes=-LAST_BYTES". Nothing for no header, for one that is none, and for several parts: then
/// the whole is answered. Errors: HttpRefusal of 416 for one outside the file.
std::optional<ByteRange> ParseRange(std::string_view header, uint64_t file_bytes);

/// A file as an answer, or the part of it that the request asks for: 200, 206 or 416. The file is
/// open from now on, so that it may be removed meanwhile. Memory: a block. Errors: kNotFound, kIo.
HttpResponse AnswerFile(const HttpRequest& request, const std::filesystem::path& path,
                        const std::string& type);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SERVE_FILE_BODY_H_
