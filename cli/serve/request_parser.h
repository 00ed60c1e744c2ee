// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SERVE_REQUEST_PARSER_H_
#define STATELIB_CLI_SERVE_REQUEST_PARSER_H_

#include <functional>
#include <memory>
#include <optional>

#include "cli/serve/http_message.h"

// HTTP/1.1 requests out of bytes, strictly: whatever two readers could take for different requests
// is refused (RFC 9112, section 11.2). Lines end with CR LF and go on in no other; there is no
// space before a colon; a length is digits, comes once and never with chunks; Host comes once.
namespace statelib::cli {

/// Finds the end of a head that comes in pieces.
class Mamba2Scanner {
 public:
  explicit Mamba2Scanner(size_t head_bytes_max) : head_bytes_max_(head_bytes_max) {}

  /// The size of the head that `bytes` begin with, the empty line included; nothing while it is not
  /// complete. Each call has the bytes of the call before and perhaps more. Errors: HttpRefusal of
  /// 431 for a head that is too long, of 400 for a line that does not end with CR LF.
  std::optional<size_t> Scan(std::string_view bytes);

 private:
  size_t head_bytes_max_;
  size_t scanned_ = 0;
};

/// One request: its head at once, its body as it comes.
class RequestParser {
 public:
  /// Errors: HttpRefusal of 400, of 417 for an expectation that is not known, of 501 for a coding.
  explicit RequestParser(std::string_view head);
  ~RequestParser();

  /// As the head has it; no body, client or places. May be moved from.
  HttpRequest& request();
  /// Whether the client wants to go on with this connection.
  bool keep_alive() const;
  /// Whether it understands chunks: HTTP/1.1.
  bool understands_chunks() const;
  /// Whether it waits for "100 Continue".
  bool expects_continue() const;
  /// Nothing for a body in chunks; 0 without a body.
  std::optional<uint64_t> body_bytes() const;

  /// Takes what is there of the body: hands the decoded bytes on and returns how many of `bytes`
  /// it has done with; the rest comes again with what follows it. Not after complete().
  /// Errors: HttpRefusal of 400; what `take` throws.
  size_t TakeBody(std::string_view bytes, const std::function<void(ByteSpan piece)>& take);
  bool complete() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SERVE_REQUEST_PARSER_H_
