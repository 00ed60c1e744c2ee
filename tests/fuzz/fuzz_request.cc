// SPDX-License-Identifier: Apache-2.0
// What clients send to the server: requests one after another, as they come from a connection.
#include <algorithm>
#include <string>

#include "cli/serve/host_policy.h"
#include "cli/serve/request_parser.h"
#include "cli/serve/router.h"
#include "tests/fuzz/fuzz_input.h"

namespace statelib::cli {
namespace {

constexpr size_t kHeadBytesMax = 4096;

/// What a connection made of the bytes: every request with its body, and why it ended.
std::string Understood(std::string_view bytes, size_t step) {
  static const Router kRouter = [] {
    Router router;
    router.Add({.method = "GET", .pattern = "/v1/objects/{}"});
    router.Add({.method = "GET", .pattern = "/files/{*}"});
    return router;
  }();
  static const HostPolicy kHosts({"example.org"});
  std::string understood;
  std::string input;
  Mamba2Scanner scanner(kHeadBytesMax);
  std::unique_ptr<RequestParser> parser;
  const auto advance = [&] {
    while (true) {
      if (!parser) {
        const auto size = scanner.Scan(input);
        if (!size) return;
        const std::string head = input.substr(0, *size);
        input.erase(0, *size);
        scanner = Mamba2Scanner(kHeadBytesMax);
        parser = std::make_unique<RequestParser>(head);
        HttpRequest& request = parser->request();
        Promise(request.target.starts_with("/"));
        Promise(request.Header("Content-Length").empty() ||
                request.Header("Transfer-Encoding").empty());
        understood += request.method + request.target;
        for (const HttpField& field : request.headers) understood += field.name + field.value;
        if (kHosts.Check(request)) understood += "?";
        try {
          std::string allowed;
          kRouter.Find(request.method, request.path(), &request.places, &allowed);
        } catch (const HttpRefusal& refusal) {
          understood += std::to_string(refusal.status());
        }
      }
      if (!parser->complete()) {
        input.erase(0,
                    parser->TakeBody(input, [&](ByteSpan piece) { understood += AsText(piece); }));
      }
      if (!parser->complete()) return;
      understood += parser->keep_alive() ? "+" : "-";
      parser.reset();
    }
  };
  try {
    for (size_t at = 0; at < bytes.size(); at += step) {
      input += bytes.substr(at, step);
      advance();
    }
  } catch (const HttpRefusal& refusal) {
    Promise(refusal.status() >= 400 && refusal.status() < 600);
    Promise(std::string_view(refusal.what()).find('\n') == std::string_view::npos);
    understood += "!" + std::to_string(refusal.status());
  }
  return understood;
}

void Read(ByteSpan input) {
  const std::string_view bytes = AsText(input);
  const std::string whole = Understood(bytes, std::max<size_t>(bytes.size(), 1));
  // However the network cuts them. (The line of a chunk has a bound only where it is cut.)
  if (bytes.size() > kHeadBytesMax) return;
  for (const size_t step : {1, 3, 16}) Promise(Understood(bytes, step) == whole);
}

}  // namespace
}  // namespace statelib::cli

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return statelib::ReadHostile(data, size, statelib::cli::Read);
}
