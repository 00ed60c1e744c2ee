// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SERVE_LIBRARY_SERVER_H_
#define STATELIB_CLI_SERVE_LIBRARY_SERVER_H_

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "cli/serve/http_server.h"
#include "cli/serve/uploads.h"
#include "core/base/cancel.h"
#include "statestore/library/keys.h"
#include "statestore/library/library.h"

namespace statelib::cli {

struct LibraryServerOptions {
  std::filesystem::path library;
  std::string read_token;   ///< empty: anybody may read
  std::string write_token;  ///< empty: nobody may write
  library::KeyRing keys;    ///< whose pushes are taken
  library::SignerPolicy policy;
  std::optional<SigningKey> key;  ///< signs what is pulled
  ServerLimits limits;
  std::function<void(const std::string& line)> log;  ///< called by several threads; may be empty
};

/// Serves a library to HTTP remotes (README.md beside this file has the protocol). Everything that
/// a client sends is checked as a bundle's parts are before it becomes visible. Memory: a block of
/// an object a request, or one object while a push is verified.
class LibraryServer {
 public:
  /// Errors: those of Library::Open.
  explicit LibraryServer(LibraryServerOptions options);

  /// Takes a port, any free one for 0, and returns it. Errors: kIo.
  int Bind(const std::string& host, int port);
  /// Serves until `cancel` is set, and returns once what was under way has ended.
  void Run(const CancelFlag& cancel);

 private:
  using Request = httplib::Request;
  using Response = httplib::Response;
  enum class Right { kRead, kWrite };

  /// Wraps a handler: checks the right, opens the library, and turns errors into answers.
  template <typename Body>
  void Answer(const Request& request, Response& response, Right right, Body body);
  bool IsAllowed(const Request& request, Response& response, Right right) const;

  void AddRoutes();
  void GetCatalogue(library::Library& library, Response& response);
  void GetManifest(library::Library& library, const Request& request, Response& response);
  void PostMissing(library::Library& library, const std::string& body, Response& response);
  void GetObject(library::Library& library, const Request& request, Response& response);
  void GetUpload(library::Library& library, const Request& request, Response& response);
  void PatchUpload(library::Library& library, const Request& request, Response& response,
                   const BodyReader& read);
  void PostPublish(library::Library& library, const std::string& body, Response& response);

  LibraryServerOptions options_;
  HttpServer server_;
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SERVE_LIBRARY_SERVER_H_
