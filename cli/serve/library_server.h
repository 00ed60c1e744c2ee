// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SERVE_LIBRARY_SERVER_H_
#define STATELIB_CLI_SERVE_LIBRARY_SERVER_H_

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "cli/serve/host_policy.h"
#include "cli/serve/http_server.h"
#include "cli/serve/uploads.h"
#include "core/base/cancel.h"
#include "statestore/library/keys.h"
#include "statestore/library/library.h"
#include "statestore/storage/admission.h"

namespace statelib::cli {

struct LibraryServerOptions {
  std::filesystem::path library;
  std::string read_token;   ///< empty: anybody may read
  std::string write_token;  ///< empty: nobody may write
  library::KeyRing keys;    ///< whose pushes are taken
  library::SignerPolicy policy;
  uint64_t max_state_bytes = storage::Admission::kStateBytesMax;  ///< of pushes, see Admission
  std::optional<SigningKey> key;                                  ///< signs what is pulled
  ServerLimits limits;
  std::shared_ptr<const TlsContext> tls{};  ///< null: plain HTTP
  std::optional<HostPolicy> hosts{};        ///< where a browser's pages have to be kept out
  std::function<void(const std::string& line)> log;  ///< called by several threads; may be empty
};

/// Serves a library to HTTP remotes (README.md beside this file has the protocol). Everything that
/// a client sends is checked as a bundle's parts are before it becomes visible; what is answered
/// tells nothing of this machine's files. Memory: a block of an object a request, or one object
/// while a push is verified.
class LibraryServer {
 public:
  /// Errors: those of Library::Open.
  explicit LibraryServer(LibraryServerOptions options);

  /// Takes a port, any free one for 0, and returns it. Errors: kIo.
  int Bind(const std::string& host, int port);
  /// Serves until `cancel` is set, and returns once what was under way has ended.
  void Run(const CancelFlag& cancel);

 private:
  enum class Right { kRead, kWrite };
  using Body = std::function<HttpResponse(library::Library& library, const HttpRequest& request,
                                          const BodyReader& read)>;

  HttpServerOptions ServerOptions();
  /// Adds a route whose handler is `body` with the library open, behind a check of the right;
  /// errors become answers.
  void Add(HttpRoute route, Right right, Body body);
  std::optional<HttpResponse> Refused(const HttpRequest& request, Right right) const;
  HttpResponse Failed(const HttpRequest& request, int status, const char* kind,
                      const std::string& message) const;

  void AddRoutes();
  static HttpResponse GetCatalogue(library::Library& library);
  HttpResponse GetManifest(library::Library& library, const HttpRequest& request) const;
  static HttpResponse PostMissing(library::Library& library, const std::string& body);
  static HttpResponse GetObject(library::Library& library, const HttpRequest& request);
  static HttpResponse PatchUpload(library::Library& library, const HttpRequest& request,
                                  const BodyReader& read);
  HttpResponse PostPublish(library::Library& library, const HttpRequest& request);

  LibraryServerOptions options_;
  HttpServer server_;
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SERVE_LIBRARY_SERVER_H_
