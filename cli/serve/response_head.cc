// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/response_head.h"

#include <fmt/chrono.h>

#include <ctime>
#include <iterator>

#include "core/base/printable.h"

namespace statelib::cli {

std::string EncodeHead(const ResponseHead& head) {
  std::string text =
      fmt::format("HTTP/1.1 {} {}\r\nDate: {:%a, %d %b %Y %H:%M:%S} GMT\r\n", head.status,
                  ReasonOf(head.status), fmt::gmtime(std::time(nullptr)));
  for (const HttpField& field : head.headers) {
    text += field.name + ": ";
    for (const char c : field.value) text += IsControl(c) ? '?' : c;
    text += "\r\n";
  }
  if (head.framing == ResponseHead::Framing::kChunked) text += "Transfer-Encoding: chunked\r\n";
  if (head.framing == ResponseHead::Framing::kLength && head.status != 204)
    text += fmt::format("Content-Length: {}\r\n", head.body_bytes);
  if (!head.keep_alive) text += "Connection: close\r\n";
  return text + "\r\n";
}

std::string EncodeChunk(std::string_view piece) {
  if (piece.empty()) return "0\r\n\r\n";
  return fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
}

}  // namespace statelib::cli
