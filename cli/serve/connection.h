// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CLI_SERVE_CONNECTION_H_
#define STATELIB_CLI_SERVE_CONNECTION_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/serve/body_pipe.h"
#include "cli/serve/connection_table.h"
#include "cli/serve/http_server.h"
#include "cli/serve/pace.h"
#include "cli/serve/request_parser.h"
#include "cli/serve/transport.h"
#include "cli/serve/worker_pool.h"

// Inside of HttpServer.
namespace statelib::cli {

/// What the connections of a server share. Outlives them.
struct ConnectionService {
  const HttpServerOptions& options;
  const Router& router;
  WorkerPool& workers;
  WorkerPool& log;
  ConnectionTable& table;
  /// Has a function called by the thread of the connections; any thread.
  std::function<void(std::function<void()> step)> post;
  std::function<void(ConnectionTable::Id id)> forget;
  bool stopping = false;
  uint64_t collected_bytes = 0;
};

/// One client: its requests one after another, each head, body, handler, answer. Every method is
/// called by one thread, that of the server.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(ConnectionService& service, ConnectionTable::Id id, std::string client,
             std::unique_ptr<Transport> transport);

  /// A whole header that is there is taken before this returns, so that a client with the right to
  /// ask is busy before another connection comes.
  void Start();
  /// Acts on a deadline that has passed.
  void Tick(ServerClock::time_point now);
  /// The server stops: goes, unless there is a request, after whose answer it will.
  void Stop();
  /// At once.
  void Close();

 private:
  enum class Phase { kHandshake, kHead, kBody, kHandling, kWriting, kEnding, kClosed };

  /// A step that follows something asynchronous; not taken after Close().
  Transport::Done Then(void (Connection::*step)(bool ok, size_t bytes));
  template <typename Step>
  void Guarded(Step step);
  /// Posts a step of the current request; not taken when the request is another by then.
  template <typename Step>
  void PostFor(uint64_t serial, Step step);

  void OnHandshake(bool ok, size_t bytes);
  void Read();
  void OnRead(bool ok, size_t bytes);
  void OnEndedSending(bool ok, size_t bytes);

  void BeginHead(std::chrono::milliseconds time);
  void TakeHead();
  void TakeRequest(std::string_view head);
  void CheckBodySize() const;
  void CollectBody();
  void StreamBody();
  void ReceiveBody();
  bool SendContinue();
  void Handle(WorkerPool::Kind kind, BodyReader reader);

  void Refuse(int status, const std::string& why);
  void Respond(HttpResponse response);
  void Write(std::string bytes);
  void WriteSome();
  void OnWritten(bool ok, size_t bytes);
  void AskSource();
  void TakePiece(std::string piece);
  void Answered();
  void Log(int status);
  void ForgetRequest();
  void End();

  ConnectionService& service_;
  const ServerLimits& limits_;
  const ConnectionTable::Id id_;
  const std::string client_;
  const std::unique_ptr<Transport> transport_;
  Phase phase_ = Phase::kHandshake;
  ServerClock::time_point deadline_;
  bool reading_ = false;
  std::vector<char> block_;  // that is being read into
  std::string input_;        // came and was not used yet
  size_t requests_left_;
  bool admitted_ = false;  // a request of it was

  // The request there is.
  uint64_t serial_ = 0;
  ServerClock::time_point began_;
  Mamba2Scanner scanner_;
  std::unique_ptr<RequestParser> parser_;
  const HttpRoute* route_ = nullptr;
  std::string method_;
  std::string path_;
  uint64_t body_bytes_ = 0;
  uint64_t collected_ = 0;
  bool continue_sent_ = false;
  std::shared_ptr<BodyPipe> pipe_;
  Pace pace_;

  // Its answer.
  int status_ = 0;
  bool keep_ = false;
  bool interim_ = false;  // what is being written is "100 Continue"
  bool chunked_ = false;
  std::string output_;
  size_t written_ = 0;
  uint64_t sent_ = 0;
  std::shared_ptr<BodySource> source_;
  std::optional<uint64_t> source_left_;
};

}  // namespace statelib::cli

#endif  // STATELIB_CLI_SERVE_CONNECTION_H_
