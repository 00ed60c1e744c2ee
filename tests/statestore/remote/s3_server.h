// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_STATESTORE_REMOTE_S3_SERVER_H_
#define STATELIB_TESTS_STATESTORE_REMOTE_S3_SERVER_H_

#include <atomic>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>

#include "cli/serve/file_body.h"
#include "cli/serve/http_server.h"
#include "core/base/bytes.h"
#include "statestore/remote/aws_signature.h"

namespace statelib::remote {

/// A bucket as S3 has it, in memory: GET with ranges, HEAD, PUT with If-None-Match, DELETE and
/// ListObjectsV2 in pages of three. Refuses, as S3 does, a request whose signature is not the one
/// over what came, or whose body is not the one that was signed.
class S3Server {
 public:
  S3Server() : server_(cli::HttpServerOptions{}) {
    for (const char* method : {"GET", "PUT", "DELETE"}) {
      server_.Add({.method = method,
                   .pattern = "/{*}",
                   .body = cli::BodyUse::kCollected,
                   .body_bytes_max = 64u << 20,
                   .handler = [this](const Request& request, const cli::BodyReader&) {
                     return Respond(request);
                   }});
    }
    port_ = server_.Bind("127.0.0.1", 0);
    thread_ = std::thread([this] { server_.Run(stop_); });
  }
  ~S3Server() {
    stop_.Cancel();
    thread_.join();
  }

  std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }
  static AwsCredentials Credentials() {
    return {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "", "eu-central-1"};
  }

  std::atomic<bool> honours_conditions = true;
  std::atomic<int> failures = 0;  ///< so many next requests are answered with 503
  std::map<std::string, std::string> objects;
  std::mutex mutex;

 private:
  using Request = cli::HttpRequest;
  using Response = cli::HttpResponse;

  static Response Refusal(int status, const std::string& code) {
    return {.status = status, .body = "<Error><Code>" + code + "</Code></Error>"};
  }

  /// The signature over the request as it came.
  static bool IsSigned(const Request& request) {
    const std::string given(request.Header("Authorization"));
    const std::string mark = "SignedHeaders=";
    const size_t begin = given.find(mark);
    if (begin == std::string::npos) return false;
    std::istringstream names(
        given.substr(begin + mark.size(), given.find(',', begin) - begin - mark.size()));
    AwsRequest parts;
    parts.method = request.method;
    parts.path = request.path();
    for (const auto& [name, value] : request.query) parts.query[name] = value;
    for (std::string name; std::getline(names, name, ';');)
      parts.headers[name] = request.Header(name);
    parts.payload_sha256 = parts.headers["x-amz-content-sha256"];
    for (const char* must : {"host", "x-amz-content-sha256", "x-amz-date"})
      if (parts.headers[must].empty()) return false;
    return given == AwsAuthorization(parts, Credentials(), parts.headers["x-amz-date"]) &&
           parts.payload_sha256 == Sha256Hex(AsBytes(request.body));
  }

  Response Respond(const Request& request) {
    if (failures > 0) {
      --failures;
      return Refusal(503, "SlowDown");
    }
    if (!IsSigned(request)) return Refusal(403, "SignatureDoesNotMatch");
    const std::lock_guard lock(mutex);
    const std::string key = "/" + request.places.at(0);
    if (!request.Query("list-type").empty()) return List(key, request);
    if (request.method == "PUT") {
      if (honours_conditions && !request.Header("If-None-Match").empty() && objects.contains(key))
        return Refusal(412, "PreconditionFailed");
      objects[key] = request.body;
      return {};
    }
    if (request.method == "DELETE") {
      objects.erase(key);
      return {.status = 204};
    }
    if (!objects.contains(key)) return Refusal(404, "NoSuchKey");
    const std::string& object = objects[key];
    const auto part = cli::ParseRange(request.Header("Range"), object.size());
    if (!part) return {.body = object};
    return {.status = 206, .body = object.substr(part->first, part->bytes)};
  }

  Response List(const std::string& key, const Request& request) const {
    const std::string prefix = key + "/" + std::string(request.Query("prefix"));
    std::string xml = "<ListBucketResult>";
    int left = 3;
    for (auto at = objects.upper_bound(std::string(request.Query("continuation-token")));
         at != objects.end(); ++at) {
      if (!at->first.starts_with(prefix)) continue;
      if (left-- == 0) {
        xml += "<NextContinuationToken>" + std::prev(at)->first + "</NextContinuationToken>";
        break;
      }
      xml += "<Contents><Key>" + at->first.substr(key.size() + 1) + "</Key></Contents>";
    }
    return {.body = xml + "</ListBucketResult>"};
  }

  cli::HttpServer server_;
  CancelFlag stop_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace statelib::remote

#endif  // STATELIB_TESTS_STATESTORE_REMOTE_S3_SERVER_H_
