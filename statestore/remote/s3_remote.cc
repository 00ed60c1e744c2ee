// SPDX-License-Identifier: Apache-2.0
#include "statestore/remote/s3_remote.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <utility>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "statestore/remote/blob_remote.h"
#include "statestore/remote/http_client.h"
#include "statestore/remote/http_status.h"
#include "statestore/storage/reference.h"

namespace statelib::remote {

namespace {

constexpr std::string_view kScheme = "s3://";
constexpr const char* kProbe = "statelib-conditional-write";
constexpr int kChanged = 412;
constexpr int kConflict = 409;  // two conditional writes at the same moment

/// A path with each of its parts encoded.
std::string EncodedPath(const std::string& path) {
  std::string encoded;
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    encoded += UrlEncoded(std::string_view(path).substr(at, end - at));
    if (end < path.size()) encoded += '/';
    at = end + 1;
  }
  return encoded;
}

/// The texts of all elements of a name in an answer that lists. What is listed here are names that
/// this program gave, in which nothing is escaped.
std::vector<std::string> Elements(std::string_view xml, const std::string& name) {
  const std::string open = "<" + name + ">";
  const std::string close = "</" + name + ">";
  std::vector<std::string> texts;
  for (size_t at = xml.find(open); at != std::string_view::npos; at = xml.find(open, at)) {
    at += open.size();
    const size_t end = xml.find(close, at);
    if (end == std::string_view::npos) break;
    texts.emplace_back(xml.substr(at, end - at));
  }
  return texts;
}

class S3Store : public BlobStore {
 public:
  S3Store(const std::string& url, const std::string& endpoint, AwsCredentials credentials,
          const Waits& waits)
      : location_(url),
        endpoint_(endpoint),
        credentials_(std::move(credentials)),
        client_(waits),
        waits_(waits) {
    const std::string path = url.substr(kScheme.size());
    bucket_ = path.substr(0, path.find('/'));
    if (bucket_.size() < path.size()) prefix_ = path.substr(bucket_.size() + 1);
    while (prefix_.ends_with("/")) prefix_.pop_back();
    if (!prefix_.empty()) prefix_ += '/';
    while (endpoint_.ends_with("/")) endpoint_.pop_back();
    host_ = endpoint_.substr(endpoint_.find("://") + 3);
  }

  const std::string& location() const override { return location_; }

  std::optional<uint64_t> Size(const std::string& path) override {
    const HttpResponse response = Repeat({.method = "HEAD", .path = path});
    if (response.status == 404) return std::nullopt;
    Check(response, path);
    const std::string text = response.Header("content-length");
    uint64_t size = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc() || text.empty())
      Throw(ErrorKind::kUnsupported, "{}: it does not tell the size of {}", location_, path);
    return size;
  }

  void Read(const std::string& path, uint64_t offset, const Sink& sink) override {
    Patience patience(waits_, location_);
    patience.Run([&] {
      const uint64_t began = offset;
      Call call{.method = "GET", .path = path};
      call.headers["range"] = fmt::format("bytes={}-", offset);
      call.sink = [&](ByteSpan bytes) {
        sink(bytes);
        offset += bytes.size();
        patience.Progress();
      };
      const HttpResponse response = Perform(call);
      if (response.status == 416) return;  // from the end on there is nothing
      Check(response, path);
      if (response.status != 206 && began > 0)
        Throw(ErrorKind::kUnsupported, "{}: it does not answer ranges", location_);
    });
  }

  void Write(const std::string& path, const ByteSource& bytes) override {
    Check(Repeat({.method = "PUT", .path = path, .body = &bytes}), path);
  }

  bool WriteNew(const std::string& path, ByteSpan bytes) override {
    ProbeConditions();
    return PutIfAbsent(path, bytes);
  }

  std::vector<std::string> List(const std::string& folder) override {
    const std::string prefix = prefix_ + folder + "/";
    std::vector<std::string> names;
    std::string next;
    do {
      Call call{.method = "GET", .path = ""};
      call.query = {{"list-type", "2"}, {"prefix", prefix}};
      if (!next.empty()) call.query["continuation-token"] = next;
      const HttpResponse response = Repeat(call);
      Check(response, folder);
      const std::string_view xml = AsText(response.body);
      for (const std::string& key : Elements(xml, "Key")) {
        if (key.starts_with(prefix)) names.push_back(key.substr(prefix.size()));
      }
      const auto tokens = Elements(xml, "NextContinuationToken");
      next = tokens.empty() ? "" : tokens.front();
    } while (!next.empty());
    std::sort(names.begin(), names.end());
    return names;
  }

  void Remove(const std::string& path) override {
    const HttpResponse response = Repeat({.method = "DELETE", .path = path});
    if (response.status != 404) Check(response, path);
  }

 private:
  struct Call {
    std::string method;
    std::string path;  ///< below the prefix; empty: the bucket itself
    std::map<std::string, std::string> query{};
    std::map<std::string, std::string> headers{};
    const ByteSource* body = nullptr;
    std::function<void(ByteSpan)> sink{};
  };

  HttpResponse Perform(const Call& call) {
    AwsRequest request;
    request.method = call.method;
    request.path = "/" + bucket_;
    if (!call.path.empty()) request.path += "/" + EncodedPath(prefix_ + call.path);
    request.query = call.query;
    request.headers = call.headers;
    request.payload_sha256 = call.body == nullptr ? Sha256Hex(ByteSpan()) : Sha256Hex(*call.body);
    const std::string time = AwsTime(std::time(nullptr));
    request.headers["host"] = host_;
    request.headers["x-amz-content-sha256"] = request.payload_sha256;
    request.headers["x-amz-date"] = time;
    if (!credentials_.session_token.empty())
      request.headers["x-amz-security-token"] = credentials_.session_token;

    HttpRequest http{.method = call.method, .url = endpoint_ + request.path};
    const std::string query = AwsQuery(call.query);
    if (!query.empty()) http.url += "?" + query;
    for (const auto& [name, value] : request.headers) http.headers.push_back(name + ": " + value);
    http.headers.push_back("authorization: " + AwsAuthorization(request, credentials_, time));
    http.upload = call.body;
    http.sink = call.sink;
    http.response_bytes_max = 16u << 20;
    return client_.Perform(http);
  }

  /// The same until the store neither breaks the connection nor is overloaded.
  HttpResponse Repeat(const Call& call) {
    HttpResponse response;
    Patience(waits_, location_).Run([&] {
      response = Perform(call);
      if (response.status >= 500) Check(response, call.path);
    });
    return response;
  }

  void Check(const HttpResponse& response, const std::string& path) const {
    if (response.ok()) return;
    const std::vector<std::string> codes = Elements(AsText(response.body), "Code");
    const std::string reason =
        codes.empty() ? fmt::format("HTTP status {}", response.status)
                      : fmt::format("{} (HTTP status {})", Escaped(codes.front()), response.status);
    if (response.status == 401 || response.status == 403) {
      Throw(ErrorKind::kInvalidArgument,
            "{}: {}; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and the clock",
            location_, reason);
    }
    Throw(KindOfStatus(response.status), "{}: {}: {}", location_, path, reason);
  }

  bool PutIfAbsent(const std::string& path, ByteSpan bytes) {
    Call call{.method = "PUT", .path = path};
    call.headers["if-none-match"] = "*";
    const MemorySource body(bytes);
    call.body = &body;
    // Not sent again when the answer is lost: it may have been done, and the second would say that
    // somebody else did it. The caller looks.
    const HttpResponse response = Perform(call);
    if (response.status == kChanged || response.status == kConflict) return false;
    Check(response, path);
    return true;
  }

  /// Two writes of which a store that honours the condition refuses the second.
  void ProbeConditions() {
    if (conditions_honoured_) return;
    if (PutIfAbsent(kProbe, AsBytes("probe\n")) && PutIfAbsent(kProbe, AsBytes("probe\n"))) {
      Throw(ErrorKind::kUnsupported,
            "{}: the store ignores If-None-Match, so that two who push at once would lose one of "
            "their pushes; use a store that honours it",
            location_);
    }
    conditions_honoured_ = true;
  }

  std::string location_;
  std::string endpoint_;
  std::string host_;
  std::string bucket_;
  std::string prefix_;  ///< empty, or with a / at its end
  AwsCredentials credentials_;
  HttpClient client_;
  Waits waits_;
  bool conditions_honoured_ = false;
};

}  // namespace

std::unique_ptr<Remote> OpenS3Remote(const std::string& url, const std::string& endpoint,
                                     const AwsCredentials& credentials, const Waits& waits) {
  if (!url.starts_with(kScheme) || url.size() == kScheme.size() || url[kScheme.size()] == '/') {
    Throw(ErrorKind::kInvalidArgument, "{}: expected s3://BUCKET or s3://BUCKET/PREFIX",
          Escaped(url));
  }
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    Throw(ErrorKind::kInvalidArgument,
          "{}: no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", Escaped(url));
  }
  AwsCredentials complete = credentials;
  if (complete.region.empty()) complete.region = "us-east-1";
  const std::string address =
      endpoint.empty() ? "https://s3." + complete.region + ".amazonaws.com" : endpoint;
  if (address.find("://") == std::string::npos) {
    Throw(ErrorKind::kInvalidArgument, "AWS_ENDPOINT_URL: {}: expected http:// or https://",
          Escaped(address));
  }
  return std::make_unique<BlobRemote>(
      std::make_unique<S3Store>(url, address, std::move(complete), waits));
}

}  // namespace statelib::remote
