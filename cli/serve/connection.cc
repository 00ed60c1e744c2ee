// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/connection.h"

#include <algorithm>
#include <utility>

#include "cli/serve/response_head.h"

namespace statelib::cli {

namespace {

constexpr size_t kHeadBlockBytes = 4u << 10;
constexpr size_t kBodyBlockBytes = 64u << 10;
constexpr ServerClock::time_point kNever = ServerClock::time_point::max();

}  // namespace

Connection::Connection(ConnectionService& service, ConnectionTable::Id id, std::string client,
                       std::unique_ptr<Transport> transport)
    : service_(service),
      limits_(service.options.limits),
      id_(id),
      client_(std::move(client)),
      transport_(std::move(transport)),
      requests_left_(limits_.requests_per_connection),
      scanner_(limits_.head_bytes),
      pace_(limits_) {}

template <typename Step>
void Connection::Guarded(Step step) {
  if (phase_ == Phase::kClosed) return;
  try {
    step();
  } catch (const HttpRefusal& refusal) {
    Refuse(refusal.status(), refusal.what());
  } catch (const std::exception&) {  // memory: this client's loss
    Close();
  }
}

Transport::Done Connection::Then(void (Connection::*step)(bool ok, size_t bytes)) {
  return [self = shared_from_this(), step](bool ok, size_t bytes) {
    self->Guarded([&] { (self.get()->*step)(ok, bytes); });
  };
}

template <typename Step>
void Connection::PostFor(uint64_t serial, Step step) {
  service_.post([self = shared_from_this(), serial, step = std::move(step)]() mutable {
    self->Guarded([&] {
      if (self->serial_ == serial) step(*self);
    });
  });
}

void Connection::Start() {
  deadline_ = ServerClock::now() + limits_.head;
  Guarded([&] {
    input_ = transport_->ReadNow(limits_.head_bytes);
    if (input_.empty()) return transport_->Handshake(Then(&Connection::OnHandshake));
    phase_ = Phase::kHead;
    TakeHead();
  });
}

void Connection::OnHandshake(bool ok, size_t /*bytes*/) {
  if (!ok) return Close();
  phase_ = Phase::kHead;  // within the same deadline
  Read();
}

void Connection::Read() {
  if (std::exchange(reading_, true)) return;
  block_.resize(phase_ == Phase::kHead ? kHeadBlockBytes : kBodyBlockBytes);
  transport_->ReadSome(block_, Then(&Connection::OnRead));
}

void Connection::OnRead(bool ok, size_t bytes) {
  reading_ = false;
  if (phase_ == Phase::kEnding) {  // what still comes is not wanted
    if (!ok) return Close();
    return Read();
  }
  if (!ok) return phase_ == Phase::kWriting ? void() : Close();
  const auto now = ServerClock::now();
  if (phase_ == Phase::kHead && input_.empty() && requests_left_ < limits_.requests_per_connection)
    deadline_ = now + limits_.head;
  input_.append(block_.data(), bytes);
  if (phase_ == Phase::kHead) return TakeHead();
  if (phase_ != Phase::kBody) return;
  pace_.Moved(bytes, now);
  pipe_ ? ReceiveBody() : CollectBody();
}

void Connection::BeginHead(std::chrono::milliseconds time) {
  phase_ = Phase::kHead;
  block_ = {};
  scanner_ = Mamba2Scanner(limits_.head_bytes);
  deadline_ = ServerClock::now() + time;
  if (input_.empty()) return Read();
  TakeHead();
}

void Connection::TakeHead() {
  const std::optional<size_t> size = scanner_.Scan(input_);
  if (!size) return Read();
  const std::string head = input_.substr(0, *size);
  input_.erase(0, *size);
  TakeRequest(head);
}

void Connection::TakeRequest(std::string_view head) {
  phase_ = Phase::kBody;
  deadline_ = kNever;
  began_ = ServerClock::now();
  --requests_left_;
  parser_ = std::make_unique<RequestParser>(head);
  HttpRequest& request = parser_->request();
  request.client = client_;
  method_ = request.method;
  path_ = request.path();
  if (service_.options.gate) {
    if (auto refused = service_.options.gate(request)) return Respond(std::move(*refused));
  }
  std::string allowed;
  try {
    route_ = &service_.router.Find(request.method, request.path(), &request.places, &allowed);
  } catch (const HttpRefusal& refusal) {
    if (refusal.status() != 405) throw;
    HttpResponse response = service_.options.refusal(405, refusal.what());
    response.headers.push_back({"Allow", allowed});
    return Respond(std::move(response));
  }
  if (route_->gate) {
    if (auto refused = route_->gate(request)) return Respond(std::move(*refused));
  }
  // Not before: a client without the right could keep a place by not reading what it is told.
  admitted_ = true;
  service_.table.Set(id_, ConnectionTable::Standing::kBusy);
  CheckBodySize();
  pace_.Begin(began_);
  route_->body == BodyUse::kStreamed ? StreamBody() : CollectBody();
}

void Connection::CheckBodySize() const {
  const uint64_t max = route_->body == BodyUse::kNone ? 0 : route_->body_bytes_max;
  if (std::max(body_bytes_, parser_->body_bytes().value_or(0)) > max)
    throw HttpRefusal(413, "a body of more than " + std::to_string(max) + " bytes");
}

void Connection::CollectBody() {
  std::string& body = parser_->request().body;
  const auto take = [&](ByteSpan piece) {
    body_bytes_ += piece.size();
    CheckBodySize();
    collected_ += piece.size();
    service_.collected_bytes += piece.size();
    if (service_.collected_bytes > limits_.collected_bytes)
      throw HttpRefusal(503, "too many large requests at once; try again");
    body += AsText(piece);
  };
  if (!parser_->complete()) input_.erase(0, parser_->TakeBody(input_, take));
  if (parser_->complete()) return Handle(WorkerPool::Kind::kShort, {});
  if (SendContinue()) return;
  deadline_ = pace_.deadline();
  Read();
}

void Connection::StreamBody() {
  pace_.Pause(ServerClock::now());
  const auto wanted = [weak = weak_from_this(), serial = serial_] {
    if (const auto self = weak.lock())
      self->PostFor(serial, [](Connection& connection) {
        if (connection.phase_ == Phase::kBody) connection.ReceiveBody();
      });
  };
  pipe_ = std::make_shared<BodyPipe>(limits_.streamed_bytes, wanted);
  Handle(WorkerPool::Kind::kWaiting, [pipe = pipe_](const auto& take) { return pipe->Read(take); });
}

void Connection::ReceiveBody() {
  if (interim_) return;  // goes on when that is written
  const auto take = [&](ByteSpan piece) {
    body_bytes_ += piece.size();
    CheckBodySize();
    pipe_->Push(piece);
  };
  while (!parser_->complete()) {
    if (!pipe_->WantsMore()) {
      pace_.Pause(ServerClock::now());
      deadline_ = kNever;
      return;
    }
    const size_t used = input_.empty() ? 0 : parser_->TakeBody(input_, take);
    input_.erase(0, used);
    if (used > 0) continue;
    if (SendContinue()) return;
    pace_.Resume(ServerClock::now());
    deadline_ = pace_.deadline();
    return Read();
  }
  pipe_->End(true);
  phase_ = Phase::kHandling;
  deadline_ = kNever;
}

/// Tells a client that waits for it to send its body; whether it did.
bool Connection::SendContinue() {
  if (!parser_->expects_continue() || std::exchange(continue_sent_, true)) return false;
  interim_ = true;
  pace_.Resume(ServerClock::now());
  Write("HTTP/1.1 100 Continue\r\n\r\n");
  return true;
}

void Connection::Handle(WorkerPool::Kind kind, BodyReader reader) {
  if (kind == WorkerPool::Kind::kShort) phase_ = Phase::kHandling;
  deadline_ = kNever;
  auto request = std::make_shared<HttpRequest>(std::move(parser_->request()));
  auto task = [self = shared_from_this(), serial = serial_, route = route_, request,
               reader = std::move(reader)] {
    auto response = std::make_shared<HttpResponse>();
    int status = 500;
    std::string why = "the request could not be answered";
    bool failed = true;
    try {
      *response = route->handler(*request, reader);
      failed = false;
    } catch (const HttpRefusal& refusal) {
      status = refusal.status();
      why = refusal.what();
    } catch (const std::exception&) {  // what it says is not for clients
    }
    request->body = {};
    self->PostFor(serial, [response, failed, status, why](Connection& connection) {
      failed ? connection.Refuse(status, why) : connection.Respond(std::move(*response));
    });
  };
  if (!service_.workers.Post(kind, std::move(task)))
    throw HttpRefusal(503, "too many requests at once; try again");
}

void Connection::Refuse(int status, const std::string& why) {
  HttpResponse response = service_.options.refusal(status, why);
  if (status == 503) response.headers.push_back({"Retry-After", "1"});
  Respond(std::move(response));
}

void Connection::Respond(HttpResponse response) {
  ++serial_;  // whatever else becomes of this request comes too late
  if (pipe_) pipe_->End(false);
  pipe_.reset();
  keep_ = parser_ && parser_->complete() && parser_->keep_alive() && requests_left_ > 0 &&
          !service_.stopping;
  status_ = response.status;
  interim_ = false;
  chunked_ = response.source && !response.source_bytes;
  if (chunked_ && (!parser_ || !parser_->understands_chunks())) keep_ = chunked_ = false;
  ResponseHead head{.status = response.status, .headers = response.headers, .keep_alive = keep_};
  if (chunked_) {
    head.framing = ResponseHead::Framing::kChunked;
  } else if (response.source && !response.source_bytes) {
    head.framing = ResponseHead::Framing::kUntilTheEnd;
  } else {
    head.body_bytes = response.source ? *response.source_bytes : response.body.size();
  }
  std::string bytes = EncodeHead(head);
  if (method_ != "HEAD") {
    bytes += response.body;
    source_ = std::move(response.source);
    source_left_ = response.source_bytes;
  }
  phase_ = Phase::kWriting;
  pace_.Begin(ServerClock::now());
  Write(std::move(bytes));
}

void Connection::Write(std::string bytes) {
  output_ = std::move(bytes);
  written_ = 0;
  WriteSome();
}

void Connection::WriteSome() {
  deadline_ = pace_.deadline();
  transport_->WriteSome(std::span(output_).subspan(written_), Then(&Connection::OnWritten));
}

void Connection::OnWritten(bool ok, size_t bytes) {
  if (!ok) return Close();
  written_ += bytes;
  pace_.Moved(bytes, ServerClock::now());
  if (written_ < output_.size()) return WriteSome();
  if (std::exchange(interim_, false)) return pipe_ ? ReceiveBody() : CollectBody();
  sent_ += written_;
  output_ = {};
  source_ ? AskSource() : Answered();
}

void Connection::AskSource() {
  pace_.Pause(ServerClock::now());
  deadline_ = kNever;
  service_.workers.Continue([self = shared_from_this(), serial = serial_, source = source_] {
    try {
      source->Next([self, serial](std::string piece) {
        self->PostFor(serial, [piece = std::move(piece)](Connection& connection) mutable {
          connection.TakePiece(std::move(piece));
        });
      });
    } catch (const std::exception&) {  // half an answer stays half
      self->PostFor(serial, [](Connection& connection) { connection.Close(); });
    }
  });
}

void Connection::TakePiece(std::string piece) {
  if (!source_) return;
  pace_.Resume(ServerClock::now());
  const bool end = piece.empty();
  if (source_left_) {
    if (end ? *source_left_ > 0 : piece.size() > *source_left_) return Close();
    *source_left_ -= piece.size();
  }
  if (end || source_left_ == 0u) source_.reset();
  if (chunked_) piece = EncodeChunk(piece);
  if (piece.empty()) return Answered();
  Write(std::move(piece));
}

void Connection::Answered() {
  Log(status_);
  ForgetRequest();
  if (!keep_ || service_.stopping) return End();
  service_.table.Set(
      id_, admitted_ ? ConnectionTable::Standing::kIdle : ConnectionTable::Standing::kStranger);
  BeginHead(input_.empty() ? limits_.idle : limits_.head);
}

void Connection::Log(int status) {
  if (!service_.options.answered) return;
  const auto took = method_.empty() ? ServerClock::duration::zero() : ServerClock::now() - began_;
  HttpAnswered answered{client_,
                        std::move(method_),
                        std::move(path_),
                        status,
                        sent_,
                        std::chrono::duration_cast<std::chrono::milliseconds>(took)};
  service_.log.Post(WorkerPool::Kind::kShort, [log = service_.options.answered,
                                               answered = std::move(answered)] { log(answered); });
}

void Connection::ForgetRequest() {
  service_.collected_bytes -= std::exchange(collected_, 0);
  ++serial_;
  if (pipe_) pipe_->End(false);
  pipe_.reset();
  source_.reset();
  parser_.reset();
  route_ = nullptr;
  method_.clear();
  path_.clear();
  body_bytes_ = sent_ = 0;
  continue_sent_ = interim_ = false;
}

void Connection::End() {
  phase_ = Phase::kEnding;
  input_ = {};
  service_.table.Set(id_, ConnectionTable::Standing::kEnding);
  deadline_ = ServerClock::now() + limits_.linger;
  transport_->EndSending(Then(&Connection::OnEndedSending));
}

void Connection::OnEndedSending(bool /*ok*/, size_t /*bytes*/) { Read(); }

void Connection::Tick(ServerClock::time_point now) {
  if (now < deadline_) return;
  if (phase_ != Phase::kHead || input_.empty()) return Close();
  Guarded([&] { Refuse(408, "no complete header within its time"); });
}

void Connection::Stop() {
  const bool busy =
      phase_ == Phase::kBody || phase_ == Phase::kHandling || phase_ == Phase::kWriting;
  if (!busy) Close();
}

void Connection::Close() {
  if (phase_ == Phase::kClosed) return;
  if (!method_.empty()) Log(0);
  ForgetRequest();
  phase_ = Phase::kClosed;
  transport_->Close();
  service_.forget(id_);
}

}  // namespace statelib::cli
