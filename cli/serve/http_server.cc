// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/http_server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <string_view>
#include <unordered_map>

#include "cli/serve/connection.h"
#include "core/base/error.h"

namespace statelib::cli {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

/// Of silence that the system keeps from us. A connection that is taken before its header came
/// could be gone by then: where many come, the oldest of those that have asked nothing goes.
constexpr int kSilenceSeconds = 1;
/// How often deadlines and the flag are looked at.
constexpr std::chrono::milliseconds kTick{50};
/// Connections taken between two looks at those that are there.
constexpr int kAcceptedAtOnce = 32;
constexpr size_t kLogLinesQueued = 10'000;

/// The other end of a connection: as text, and as what counts as one address.
struct Peer {
  std::string text;
  std::string counted;
};

Peer PeerOf(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    return {text, text};
  }
  if (address.ss_family != AF_INET6) return {"?", "?"};
  in6_addr v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    ::inet_ntop(AF_INET, &v6.s6_addr[12], text, sizeof(text));
    return {text, text};
  }
  ::inet_ntop(AF_INET6, &v6, text, sizeof(text));
  // One customer has a network of 64 bits to choose addresses from.
  return {text, std::string(reinterpret_cast<const char*>(v6.s6_addr), 8)};
}

HttpResponse PlainRefusal(int status, const std::string& why) {
  return {.status = status, .headers = {{"Content-Type", "text/plain"}}, .body = why + "\n"};
}

}  // namespace

struct HttpServer::Impl {
  explicit Impl(HttpServerOptions given)
      : options(std::move(given)),
        table(options.limits.connections, options.limits.connections_per_address) {
    service.post = [this](std::function<void()> step) { asio::post(context, std::move(step)); };
    service.forget = [this](ConnectionTable::Id id) {
      table.Remove(id);
      connections.erase(id);
    };
  }
  ~Impl() { workers.Stop(); }  // while the context is there that their tasks post to

  void AwaitConnections() {
    acceptor.async_wait(Tcp::acceptor::wait_read, [this](const error_code& code) {
      if (stopping()) return;
      if (!code) AcceptSome();
      if (!out_of_files) AwaitConnections();
    });
  }
  void AcceptSome();
  void Take(int socket, const Peer& peer);
  void AwaitTick();
  void Tick();
  void StopSoon();
  bool stopping() const { return service.stopping; }

  const HttpServerOptions options;
  asio::io_context context{1};
  Router router;
  ConnectionTable table;
  WorkerPool log{1, 1, kLogLinesQueued};
  WorkerPool workers{options.limits.threads, options.limits.waiting_threads,
                     options.limits.queued_requests};
  ConnectionService service{options, router, workers, log, table, {}, {}};
  std::unordered_map<ConnectionTable::Id, std::shared_ptr<Connection>> connections;
  Tcp::acceptor acceptor{context};
  asio::steady_timer timer{context};
  const CancelFlag* cancel = nullptr;
  ServerClock::time_point stop_at;
  bool out_of_files = false;
};

void HttpServer::Impl::AcceptSome() {
  for (int i = 0; i < kAcceptedAtOnce; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    const int socket = ::accept4(acceptor.native_handle(), reinterpret_cast<sockaddr*>(&address),
                                 &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0) {
      try {
        Take(socket, PeerOf(address));
      } catch (const std::exception&) {  // memory, or the system's: this client's loss
      }
      continue;
    }
    // Without a descriptor for it a connection waits, and would wake us again at once: rest.
    out_of_files = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (errno != ECONNABORTED && errno != EINTR) return;
  }
}

void HttpServer::Impl::Take(int socket, const Peer& peer) {
  const ConnectionTable::Admission admission = table.Admit(peer.counted);
  if (admission.evicted) connections.at(*admission.evicted)->Close();
  if (!admission.admitted) {
    if (!options.tls) {
      constexpr std::string_view kFull =
          "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
          "Connection: close\r\n\r\n";
      ::send(socket, kFull.data(), kFull.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    ::close(socket);
    return;
  }
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  auto transport = MakeTransport(context, socket, options.tls.get());
  const ConnectionTable::Id id = table.Add(peer.counted);
  auto connection = std::make_shared<Connection>(service, id, peer.text, std::move(transport));
  connections[id] = connection;
  connection->Start();
}

void HttpServer::Impl::AwaitTick() {
  timer.expires_after(kTick);
  timer.async_wait([this](const error_code& /*code*/) {
    try {
      Tick();
    } catch (const std::bad_alloc&) {  // the next one will
    }
    if (!stopping() || !connections.empty()) AwaitTick();
  });
}

void HttpServer::Impl::Tick() {
  if (cancel->cancelled() && !stopping()) StopSoon();
  const auto now = ServerClock::now();
  std::vector<std::shared_ptr<Connection>> all;  // those that go leave the map
  all.reserve(connections.size());
  for (const auto& [id, connection] : connections) all.push_back(connection);
  for (const auto& connection : all)
    stopping() && now >= stop_at ? connection->Close() : connection->Tick(now);
  if (std::exchange(out_of_files, false) && !stopping()) AwaitConnections();
}

void HttpServer::Impl::StopSoon() {
  service.stopping = true;
  stop_at = ServerClock::now() + options.limits.grace;
  error_code ignored;
  acceptor.close(ignored);
  std::vector<std::shared_ptr<Connection>> all;
  for (const auto& [id, connection] : connections) all.push_back(connection);
  for (const auto& connection : all) connection->Stop();
}

HttpServer::HttpServer(HttpServerOptions options) {
  if (!options.refusal) options.refusal = PlainRefusal;
  impl_ = std::make_unique<Impl>(std::move(options));
}

HttpServer::~HttpServer() = default;

void HttpServer::Add(HttpRoute route) { impl_->router.Add(std::move(route)); }

int HttpServer::Bind(const std::string& host, int port) {
  Tcp::resolver resolver(impl_->context);
  error_code code;
  const auto found = resolver.resolve(host, std::to_string(port), Tcp::resolver::passive, code);
  for (auto at = found.begin(); !code && at != found.end(); ++at) {
    Tcp::acceptor acceptor(impl_->context);
    acceptor.open(at->endpoint().protocol(), code);
    if (!code) acceptor.set_option(Tcp::acceptor::reuse_address(true), code);
    if (!code) acceptor.bind(at->endpoint(), code);
    if (!code) {
      // Without it, if it fails: nothing else depends on it.
      ::setsockopt(acceptor.native_handle(), IPPROTO_TCP, TCP_DEFER_ACCEPT, &kSilenceSeconds,
                   sizeof(kSilenceSeconds));
    }
    if (!code) acceptor.listen(asio::socket_base::max_listen_connections, code);
    if (code) {
      if (std::next(at) != found.end()) code.clear();
      continue;
    }
    impl_->acceptor = std::move(acceptor);
    impl_->acceptor.non_blocking(true);
    return impl_->acceptor.local_endpoint().port();
  }
  Throw(ErrorKind::kIo, "cannot listen at {} port {}: {}", host, port, code.message());
}

void HttpServer::Run(const CancelFlag& cancel) {
  impl_->cancel = &cancel;
  impl_->AwaitConnections();
  impl_->AwaitTick();
  while (true) {
    try {
      impl_->context.run();
      break;
    } catch (const std::exception&) {  // memory: the connection concerned meets its deadline
    }
  }
  impl_->workers.Stop();
  impl_->log.Finish();
}

}  // namespace statelib::cli
