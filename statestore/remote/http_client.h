// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_REMOTE_HTTP_CLIENT_H_
#define STATELIB_STATESTORE_REMOTE_HTTP_CLIENT_H_

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/byte_source.h"
#include "core/base/bytes.h"
#include "core/base/waiting.h"

namespace statelib::remote {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers{};  ///< "Name: value"
  ByteSpan body{};
  const ByteSource* upload = nullptr;      ///< sent in the place of `body`, in blocks; outlives it
  uint64_t response_bytes_max = 1u << 20;  ///< of what is collected
  /// Takes the body of a 2xx response as it comes, instead of collecting it.
  std::function<void(ByteSpan bytes)> sink{};
};

struct HttpResponse {
  long status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  Bytes body;

  bool ok() const { return status >= 200 && status < 300; }
  /// A header's value; empty when there is none.
  std::string Header(const std::string& name) const;
};

/// A client that keeps its connection. Follows no redirection, so that what proves the user goes to
/// the place that was named and to no other. One thread.
class HttpClient {
 public:
  explicit HttpClient(const Waits& waits);
  ~HttpClient();

  /// One request. Any answer is a response, whatever its status. Errors: kIo when there is no whole
  /// answer (refused, cut), kCorrupt for one beyond its limit; those of Wait, for kSilenceTimeout
  /// without a byte; what the sink throws.
  HttpResponse Perform(const HttpRequest& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// How often something is tried again.
class Patience {
 public:
  /// `location` is what answers.
  Patience(const Waits& waits, const std::string& location)
      : wait_(waits, kSilenceTimeout, location) {}

  /// Repeats `attempt` while it fails for want of a connection (kIo) or because the other side is
  /// busy (kBusy), a little later each time, six times, and no longer than is waited for silence.
  /// Errors: the last one of `attempt`; kCancelled.
  void Run(const std::function<void()>& attempt);
  /// Says that something has been achieved since the last failure: the count begins anew.
  void Progress() {
    failures_ = 0;
    wait_.Begin();
  }

 private:
  Wait wait_;
  int failures_ = 0;
};

/// A text as a part of a URL (RFC 3986): all but letters, digits and -._~ as %XX.
std::string UrlEncoded(std::string_view text);

}  // namespace statelib::remote

#endif  // STATELIB_STATESTORE_REMOTE_HTTP_CLIENT_H_
