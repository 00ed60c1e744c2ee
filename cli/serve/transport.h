// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SERVE_TRANSPORT_H_
#define STATELIB_CLI_SERVE_TRANSPORT_H_

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace boost::asio {
class io_context;
}

namespace statelib::cli {

/// Certificate and key of a server, for TLS 1.2 and later.
class TlsContext {
 public:
  /// Two PEM files; the certificate's with the chain behind it. Errors: kInvalidArgument for files
  /// that are none, do not belong together, or a key that others can read; kNotFound.
  TlsContext(const std::filesystem::path& certificate, const std::filesystem::path& key);
  ~TlsContext();

  struct Impl;
  Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

/// The bytes of one connection, plain or in TLS. Nothing here waits: `done` is called later, by the
/// thread that runs the context, with false when the connection has ended or was closed. At most
/// one read and one write at once; the spans stay until they are done. One thread.
class Transport {
 public:
  using Done = std::function<void(bool ok, size_t bytes)>;

  virtual ~Transport() = default;
  /// Before anything else.
  virtual void Handshake(Done done) = 0;
  virtual void ReadSome(std::span<char> into, Done done) = 0;
  /// What has come already, at most so many bytes; before Handshake() and, where it is not empty,
  /// instead of it. Empty where a handshake is needed.
  virtual std::string ReadNow(size_t bytes_max) = 0;
  virtual void WriteSome(std::span<const char> from, Done done) = 0;
  /// Says that nothing more will be sent.
  virtual void EndSending(Done done) = 0;
  /// At once.
  virtual void Close() = 0;
};

/// Takes over a connected socket, also when it throws. A null `tls` is plain TCP; else it outlives
/// the transport.
std::unique_ptr<Transport> MakeTransport(boost::asio::io_context& context, int socket,
                                         const TlsContext* tls);

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SERVE_TRANSPORT_H_
