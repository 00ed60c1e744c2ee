// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SERVE_ROUTER_H_
#define STATELIB_CLI_SERVE_ROUTER_H_

#include <optional>
#include <string>
#include <vector>

#include "cli/serve/http_message.h"

namespace statelib::cli {

/// What becomes of a request's body.
enum class BodyUse {
  kNone,       ///< there must be none
  kCollected,  ///< is in request.body before the handler is called, so that no worker waits for it
  kStreamed,   ///< the handler reads it as it comes
};

/// Looks at a request before its body is read and before it takes a worker: an answer refuses it.
/// Called by the thread that serves all connections, so it must neither wait nor compute long.
using HttpGate = std::function<std::optional<HttpResponse>(const HttpRequest& request)>;
/// Answers a request, on a worker; several at once. The reader is empty unless the body is
/// streamed. What it throws is answered with 500 and no more said.
using HttpHandler =
    std::function<HttpResponse(const HttpRequest& request, const BodyReader& read_body)>;

struct HttpRoute {
  std::string method;   ///< GET answers HEAD too
  std::string pattern;  ///< "/v1/things/{}": a {} stands for one part, a last {*} for all the rest
  BodyUse body = BodyUse::kNone;
  uint64_t body_bytes_max = 0;  ///< beyond it 413
  HttpGate gate{};              ///< may be empty
  HttpHandler handler{};
};

/// Finds the route of a request. Thread-safe once all routes were added.
class Router {
 public:
  void Add(HttpRoute route);
  /// The route; `places` become what stands for each {}, decoded. Errors: HttpRefusal of 404 for a
  /// path that nothing answers, of 400 for one that cannot be decoded; of 405 when it is the method
  /// that is wrong, and `allowed` are the right ones.
  const HttpRoute& Find(std::string_view method, std::string_view path,
                        std::vector<std::string>* places, std::string* allowed) const;

 private:
  struct Entry {
    HttpRoute route;
    std::vector<std::string> parts;
  };
  std::vector<Entry> entries_;
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SERVE_ROUTER_H_
