// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SERVE_HTTP_MESSAGE_H_
#define STATELIB_CLI_SERVE_HTTP_MESSAGE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"

namespace statelib::cli {

struct HttpField {
  std::string name;
  std::string value;
};

/// A request as it came. Names of headers have any case, so ask by Header().
struct HttpRequest {
  std::string method;
  std::string target;               ///< path and query, encoded
  std::vector<HttpField> query;     ///< decoded
  std::vector<HttpField> headers;   ///< those that decide something come once
  std::vector<std::string> places;  ///< what stood for each {} of the route's pattern, decoded
  std::string client;               ///< the address at the other end: "192.0.2.7", "2001:db8::7"
  std::string body;                 ///< of a route that has it collected

  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
  /// The first header of that name, in any case; empty when there is none.
  std::string_view Header(std::string_view name) const;
  /// The first value of that name in the query; empty when there is none.
  std::string_view Query(std::string_view name) const;
};

/// A body that is made while it is sent: a file's bytes, or events as they happen. The server asks
/// for a piece when the one before it has left, so that a slow client costs one piece and no
/// thread. It is destroyed when the client is gone.
class BodySource {
 public:
  /// Takes the next piece; an empty one ends the body. Any thread, once.
  using Take = std::function<void(std::string piece)>;

  virtual ~BodySource() = default;
  /// Hands the next piece to `take`, now or later. Called on a worker, never twice at once. What
  /// it throws cuts the connection, so that nobody takes a part for the whole.
  virtual void Next(Take take) = 0;
};

struct HttpResponse {
  int status = 200;
  std::vector<HttpField> headers{};  ///< without those of framing: Content-Length and the like
  std::string body{};
  std::shared_ptr<BodySource> source{};    ///< instead of `body`
  std::optional<uint64_t> source_bytes{};  ///< how much it brings, where that is known
};

/// Hands a request's body on, piece by piece, as it comes; false when it was cut off.
using BodyReader = std::function<bool(const std::function<void(ByteSpan piece)>& take)>;

/// Why a request is not answered: an HTTP status and a sentence for the client.
class HttpRefusal : public std::runtime_error {
 public:
  HttpRefusal(int status, const std::string& why) : std::runtime_error(why), status_(status) {}

  int status() const { return status_; }

 private:
  int status_;
};

/// A part of a URL with each %XX as its byte; nothing for a % without two digits behind it.
std::optional<std::string> PercentDecoded(std::string_view text);
bool EqualIgnoringCase(std::string_view a, std::string_view b);
/// "Not Found" for 404.
std::string_view ReasonOf(int status);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SERVE_HTTP_MESSAGE_H_
