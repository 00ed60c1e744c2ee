// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_STATESTORE_REMOTE_S3_SERVER_H_
#define STATELIB_TESTS_STATESTORE_REMOTE_S3_SERVER_H_

#include <httplib.h>

#include <atomic>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>

#include "core/base/bytes.h"
#include "statestore/remote/aws_signature.h"

namespace statelib::remote {

/// A bucket as S3 has it, in memory: GET with ranges, HEAD, PUT with If-None-Match, DELETE and
/// ListObjectsV2 in pages of three. Refuses, as S3 does, a request whose signature is not the one
/// over what came, or whose body is not the one that was signed.
class S3Server {
 public:
  S3Server() {
    const char* any = "/(.*)";
    server_.Get(any, [this](const auto& request, auto& response) { Answer(request, response); });
    server_.Put(any, [this](const auto& request, auto& response) { Answer(request, response); });
    server_.Delete(any, [this](const auto& request, auto& response) { Answer(request, response); });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ~S3Server() {
    server_.stop();
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
  using Request = httplib::Request;
  using Response = httplib::Response;

  static void Refuse(Response& response, int status, const std::string& code) {
    response.status = status;
    response.set_content("<Error><Code>" + code + "</Code></Error>", "application/xml");
  }

  /// The signature over the request as it came.
  static bool IsSigned(const Request& request) {
    const std::string given = request.get_header_value("Authorization");
    const std::string mark = "SignedHeaders=";
    const size_t begin = given.find(mark);
    if (begin == std::string::npos) return false;
    std::istringstream names(
        given.substr(begin + mark.size(), given.find(',', begin) - begin - mark.size()));
    AwsRequest parts;
    parts.method = request.method;
    parts.path = request.target.substr(0, request.target.find('?'));
    for (const auto& [name, value] : request.params) parts.query[name] = value;
    for (std::string name; std::getline(names, name, ';');)
      parts.headers[name] = request.get_header_value(name.c_str());
    parts.payload_sha256 = parts.headers["x-amz-content-sha256"];
    for (const char* must : {"host", "x-amz-content-sha256", "x-amz-date"})
      if (parts.headers[must].empty()) return false;
    return given == AwsAuthorization(parts, Credentials(), parts.headers["x-amz-date"]) &&
           parts.payload_sha256 == Sha256Hex(AsBytes(request.body));
  }

  void Answer(const Request& request, Response& response) {
    if (failures > 0) {
      --failures;
      return Refuse(response, 503, "SlowDown");
    }
    if (!IsSigned(request)) return Refuse(response, 403, "SignatureDoesNotMatch");
    const std::lock_guard lock(mutex);
    const std::string key = request.path;
    if (request.has_param("list-type")) return List(request, response);
    if (request.method == "PUT") {
      if (honours_conditions && request.has_header("If-None-Match") && objects.contains(key))
        return Refuse(response, 412, "PreconditionFailed");
      objects[key] = request.body;
    } else if (request.method == "DELETE") {
      objects.erase(key);
      response.status = 204;
    } else if (!objects.contains(key)) {
      Refuse(response, 404, "NoSuchKey");
    } else {
      response.set_content(objects[key], "application/octet-stream");
    }
  }

  void List(const Request& request, Response& response) {
    const std::string prefix = request.path + "/" + request.get_param_value("prefix");
    std::string xml = "<ListBucketResult>";
    int left = 3;
    for (auto at = objects.upper_bound(request.get_param_value("continuation-token"));
         at != objects.end(); ++at) {
      if (!at->first.starts_with(prefix)) continue;
      if (left-- == 0) {
        xml += "<NextContinuationToken>" + std::prev(at)->first + "</NextContinuationToken>";
        break;
      }
      xml += "<Contents><Key>" + at->first.substr(request.path.size() + 1) + "</Key></Contents>";
    }
    response.set_content(xml + "</ListBucketResult>", "application/xml");
  }

  httplib::Server server_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace statelib::remote

#endif  // STATELIB_TESTS_STATESTORE_REMOTE_S3_SERVER_H_
