// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/transport.h"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>

#include "core/base/error.h"
#include "core/base/secret_file.h"

namespace statelib::cli {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

auto Telling(Transport::Done done) {
  return [done = std::move(done)](const error_code& code, size_t bytes) { done(!code, bytes); };
}

void CloseSocket(Tcp::socket& socket) {
  error_code ignored;
  socket.close(ignored);
}

class PlainTransport : public Transport {
 public:
  explicit PlainTransport(Tcp::socket socket)
      : context_(socket.get_executor()), socket_(std::move(socket)) {}

  void Handshake(Done done) override {
    asio::post(context_, [done = std::move(done)] { done(true, 0); });
  }
  void ReadSome(std::span<char> into, Done done) override {
    socket_.async_read_some(asio::buffer(into.data(), into.size()), Telling(std::move(done)));
  }
  std::string ReadNow(size_t bytes_max) override {
    std::string came(bytes_max, '\0');
    const ssize_t got = ::recv(socket_.native_handle(), came.data(), came.size(), MSG_DONTWAIT);
    if (got <= 0) return {};  // an end or an error comes again
    return came.substr(0, static_cast<size_t>(got));
  }
  void WriteSome(std::span<const char> from, Done done) override {
    socket_.async_write_some(asio::buffer(from.data(), from.size()), Telling(std::move(done)));
  }
  void EndSending(Done done) override {
    error_code code;
    socket_.shutdown(Tcp::socket::shutdown_send, code);
    asio::post(context_, [done = std::move(done), ok = !code] { done(ok, 0); });
  }
  void Close() override { CloseSocket(socket_); }

 private:
  Tcp::socket::executor_type context_;
  Tcp::socket socket_;
};

class TlsTransport : public Transport {
 public:
  TlsTransport(Tcp::socket socket, asio::ssl::context& tls) : stream_(std::move(socket), tls) {}

  void Handshake(Done done) override {
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [done = std::move(done)](const error_code& code) { done(!code, 0); });
  }
  void ReadSome(std::span<char> into, Done done) override {
    const auto buffer = asio::buffer(into.data(), into.size());
    if (ended_) return stream_.next_layer().async_read_some(buffer, Telling(std::move(done)));
    stream_.async_read_some(buffer, Telling(std::move(done)));
  }
  std::string ReadNow(size_t /*bytes_max*/) override { return {}; }
  void WriteSome(std::span<const char> from, Done done) override {
    stream_.async_write_some(asio::buffer(from.data(), from.size()), Telling(std::move(done)));
  }
  void EndSending(Done done) override {
    stream_.async_shutdown([this, done = std::move(done)](const error_code& code) {
      // A client that goes on sending has to be read all the same, or it loses what was answered.
      ended_ = true;
      error_code ignored;
      stream_.next_layer().shutdown(Tcp::socket::shutdown_send, ignored);
      done(!code, 0);
    });
  }
  void Close() override { CloseSocket(stream_.next_layer()); }

 private:
  asio::ssl::stream<Tcp::socket> stream_;
  bool ended_ = false;
};

}  // namespace

struct TlsContext::Impl {
  asio::ssl::context context{asio::ssl::context::tls_server};
};

TlsContext::TlsContext(const std::filesystem::path& certificate, const std::filesystem::path& key)
    : impl_(std::make_unique<Impl>()) {
  RequireSecret(key, "the key of a certificate");
  asio::ssl::context& context = impl_->context;
  context.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                      asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                      asio::ssl::context::no_tlsv1_1 | SSL_OP_NO_RENEGOTIATION);
  // Half a dozen kilobytes a connection that is idle, instead of thirty.
  SSL_CTX_set_mode(context.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  error_code code;
  // Without it OpenSSL would ask for a password on the terminal.
  context.set_password_callback([](size_t, auto) { return std::string(); }, code);
  context.use_certificate_chain_file(certificate.string(), code);
  if (code) {
    Throw(ErrorKind::kInvalidArgument, "{}: expected a certificate in PEM: {}",
          certificate.string(), code.message());
  }
  context.use_private_key_file(key.string(), asio::ssl::context::pem, code);
  if (code) {
    Throw(ErrorKind::kInvalidArgument, "{}: expected the key, in PEM, of the certificate {}: {}",
          key.string(), certificate.string(), code.message());
  }
}

TlsContext::~TlsContext() = default;

std::unique_ptr<Transport> MakeTransport(asio::io_context& context, int socket,
                                         const TlsContext* tls) {
  Tcp::socket taken(context);
  error_code code;
  taken.assign(Tcp::v4(), socket, code);
  if (code) {
    ::close(socket);
    throw boost::system::system_error(code);
  }
  if (tls == nullptr) return std::make_unique<PlainTransport>(std::move(taken));
  return std::make_unique<TlsTransport>(std::move(taken), tls->impl().context);
}

}  // namespace statelib::cli
