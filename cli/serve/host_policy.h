// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SERVE_HOST_POLICY_H_
#define STATELIB_CLI_SERVE_HOST_POLICY_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/serve/http_message.h"

namespace statelib::cli {

/// "localhost", 127.0.0.0/8 or ::1, as a host's name; "127.example.org" is none.
bool IsLoopbackHost(std::string_view host);

/// Keeps the pages that a browser shows out of a server on this machine that asks for no token: a
/// page may point its own name at 127.0.0.1 and read what the server answers (DNS rebinding). Such
/// a request has the page's name as its Host; one across pages has another Origin. Thread-safe.
class HostPolicy {
 public:
  /// Names that the server is called by beside those of the loopback, as a reverse proxy passes
  /// them on.
  explicit HostPolicy(std::vector<std::string> names) : names_(std::move(names)) {}

  /// Why a request is not answered: 421 for a Host, 403 for an Origin.
  std::optional<HttpRefusal> Check(const HttpRequest& request) const;

 private:
  std::vector<std::string> names_;
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SERVE_HOST_POLICY_H_
