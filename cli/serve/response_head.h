// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SERVE_RESPONSE_HEAD_H_
#define STATELIB_CLI_SERVE_RESPONSE_HEAD_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/serve/http_message.h"

namespace statelib::cli {

/// All that stands before an answer's body.
struct ResponseHead {
  enum class Framing { kLength, kChunked, kUntilTheEnd };

  int status = 200;
  const std::vector<HttpField>& headers;
  bool keep_alive = false;
  Framing framing = Framing::kLength;
  uint64_t body_bytes = 0;
};

/// With the date. Control characters in a value become "?", so that none begins another line.
std::string EncodeHead(const ResponseHead& head);
/// A piece as a chunk; an empty one as the last.
std::string EncodeChunk(std::string_view piece);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SERVE_RESPONSE_HEAD_H_
