// SPDX-License-Identifier: Apache-2.0
#include <mutex>

#include "cli/input.h"
#include "cli/network.h"
#include "cli/network_environment.h"
#include "cli/serve/file_limit.h"
#include "cli/serve/library_server.h"
#include "cli/transfer.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/base/secret_file.h"
#include "statestore/remote/http_remote.h"
#include "statestore/remote/s3_remote.h"
#include "statestore/storage/reference.h"

namespace statelib::cli {

namespace {

constexpr size_t kTokenCharactersMin = 16;
constexpr size_t kTokenCharactersMax = 1024;

/// The first line of a file that holds a token. Errors: kInvalidArgument for one that others can
/// read, that is too short to be a secret or could not stand in a header.
std::string ReadToken(const Context& context, const std::string& path) {
  RequireSecret(path, "a token");
  const std::string token =
      Input::Open(path, context.cancel).ReadLine(kTokenCharactersMax).value_or("");
  for (const char c : token) {
    if (c <= ' ' || c == '\x7f' || static_cast<unsigned char>(c) > 0x7f) {
      Throw(ErrorKind::kInvalidArgument, "{}: expected a token on its first line, without spaces",
            path);
    }
  }
  if (token.size() < kTokenCharactersMin) {
    Throw(ErrorKind::kInvalidArgument,
          "{}: a token of {} characters, expected at least {}; `openssl rand -hex 24` makes one",
          path, token.size(), kTokenCharactersMin);
  }
  return token;
}

struct Listen {
  std::string host;
  int port = 0;
};

/// HOST:PORT; an IPv6 address in brackets.
Listen ParseListen(const std::string& text) {
  const size_t colon = text.rfind(':');
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  std::string host = text.substr(0, colon);
  const bool digits = !port.empty() && port.size() <= 5 &&
                      port.find_first_not_of("0123456789") == std::string::npos;
  if (host.empty() || !digits || std::stoi(port) > 65535) {
    Throw(ErrorKind::kInvalidArgument, "{}: expected HOST:PORT, as 127.0.0.1:8427", Escaped(text));
  }
  if (host.starts_with("[") && host.ends_with("]")) host = host.substr(1, host.size() - 2);
  return {host, std::stoi(port)};
}

LibraryServerOptions ToOptions(const Context& context, const ServeRequest& request,
                               const std::string& host) {
  LibraryServerOptions options{.library = context.LibraryDirectory(),
                               .read_token = {},
                               .write_token = {},
                               .keys = OpenKeys(context),
                               .policy = request.policy,
                               .max_state_bytes = MaxBytesOf(request.max_bytes),
                               .key = ChooseSigningKey(context, request.signing),
                               .limits = {},
                               .tls = {},
                               .hosts = {},
                               .log = {}};
  if (!request.read_token_file.empty())
    options.read_token = ReadToken(context, request.read_token_file);
  if (!request.write_token_file.empty())
    options.write_token = ReadToken(context, request.write_token_file);
  if (IsLoopbackHost(host) && options.read_token.empty())
    options.hosts = HostPolicy(request.allowed_hosts);
  if (request.tls_certificate_file.empty() != request.tls_key_file.empty())
    Throw(ErrorKind::kInvalidArgument, "--tls-cert and --tls-key go together");
  if (!request.tls_key_file.empty()) {
    options.tls =
        std::make_shared<const TlsContext>(request.tls_certificate_file, request.tls_key_file);
  }
  return options;
}

/// Takes as many connections as there may be open files for, and says so where these are few.
void FitLimits(Context& context, ServerLimits& limits) {
  const size_t files = RaiseFileLimit();
  const size_t needed = FilesNeeded(limits);
  if (files >= needed) return;
  limits = FittedTo(limits, files);
  context.notes.Add(Notes::Kind::kWarning,
                    fmt::format("{} files may be open, expected {}; at most {} connections at once "
                                "(`ulimit -n` raises it)",
                                files, needed, limits.connections));
}

}  // namespace

std::unique_ptr<remote::Remote> OpenNetworkRemote(const Context& context,
                                                  const library::NamedRemote& remote) {
  const NetworkEnvironment environment = NetworkEnvironment::FromProcess();
  if (remote.url.starts_with("http://") || remote.url.starts_with("https://")) {
    std::string token = environment.statelib_token;
    if (token.empty() && !remote.token_file.empty()) token = ReadToken(context, remote.token_file);
    return remote::OpenHttpRemote(remote.url, token, context.HowToWait());
  }
  return remote::OpenS3Remote(remote.url, environment.aws_endpoint_url,
                              {environment.aws_access_key_id, environment.aws_secret_access_key,
                               environment.aws_session_token, environment.aws_region},
                              context.HowToWait());
}

void ServeLibrary(Context& context, const ServeRequest& request) {
  const Listen listen = ParseListen(request.listen);
  LibraryServerOptions options = ToOptions(context, request, listen.host);
  if (!IsLoopbackHost(listen.host) && options.read_token.empty() && !request.is_public) {
    Throw(ErrorKind::kInvalidArgument,
          "{} can be reached from elsewhere, and nobody needs a token to read; name one with "
          "--read-token-file, or pass --public",
          Escaped(request.listen));
  }
  std::mutex mutex;
  if (request.log) {
    options.log = [&](const std::string& line) {
      const std::lock_guard lock(mutex);
      context.warnings.Print("{}\n", line);
      context.warnings.Flush();
    };
  }
  FitLimits(context, options.limits);
  const char* scheme = options.tls ? "https" : "http";
  LibraryServer server(std::move(options));
  const int port = server.Bind(listen.host, listen.port);
  const std::string host =
      listen.host.find(':') == std::string::npos ? listen.host : "[" + listen.host + "]";
  const std::string url = fmt::format("{}://{}:{}", scheme, host, port);
  if (context.options.json) {
    context.PrintJson({{"url", url}, {"writable", !request.write_token_file.empty()}});
  } else {
    context.Tell(
        Shown::Format("serving {} at {}{}; Ctrl-C stops it\n", context.LibraryDirectory().string(),
                      url, request.write_token_file.empty() ? ", for reading" : ""),
        url);
  }
  context.out.Flush();
  server.Run(context.cancel);
}

}  // namespace statelib::cli
