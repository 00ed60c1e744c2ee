// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/host_policy.h"

#include <arpa/inet.h>

#include <algorithm>

namespace statelib::cli {

namespace {

/// The host of "host:port" or "[address]:port", without brackets; empty for what is neither.
std::string_view HostOf(std::string_view authority) {
  std::string_view host;
  std::string_view rest;
  if (authority.starts_with("[")) {
    const size_t end = authority.find(']');
    if (end == std::string_view::npos) return {};
    host = authority.substr(1, end - 1);
    rest = authority.substr(end + 1);
  } else {
    host = authority.substr(0, authority.find(':'));
    rest = authority.substr(host.size());
  }
  const std::string_view port = rest.empty() ? rest : rest.substr(1);
  if (!rest.empty() && rest.front() != ':') return {};
  if (port.find_first_not_of("0123456789") != std::string_view::npos) return {};
  return host;
}

}  // namespace

bool IsLoopbackHost(std::string_view host) {
  if (host.ends_with(".")) host.remove_suffix(1);
  if (EqualIgnoringCase(host, "localhost")) return true;
  const std::string text(host);
  in_addr v4{};
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return ::inet_pton(AF_INET6, text.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::optional<HttpRefusal> HostPolicy::Check(const HttpRequest& request) const {
  const std::string_view authority = request.Header("Host");
  const std::string_view host = HostOf(authority);
  const bool known = IsLoopbackHost(host) ||
                     std::any_of(names_.begin(), names_.end(),
                                 [&](const auto& name) { return EqualIgnoringCase(name, host); });
  if (!known) {
    return HttpRefusal(421,
                       "this server answers to this machine's own names alone, as localhost; "
                       "start it with a token to read, or with --allow-host for another name");
  }
  for (const HttpField& field : request.headers) {
    if (!EqualIgnoringCase(field.name, "Origin")) continue;
    const size_t scheme = field.value.find("://");
    if (scheme == std::string::npos ||
        !EqualIgnoringCase(std::string_view(field.value).substr(scheme + 3), authority)) {
      return HttpRefusal(403, "this server answers no page of another origin");
    }
  }
  return std::nullopt;
}

}  // namespace statelib::cli
