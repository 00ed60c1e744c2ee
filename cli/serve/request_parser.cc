// SPDX-License-Identifier: Apache-2.0
// Some of Beast's assertions do not hold for bytes that come one at a time; what follows them does.
#define BOOST_DISABLE_ASSERTS
#include "cli/serve/request_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <exception>
#include <limits>

namespace statelib::cli {

namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::string_view;

/// Of the line that begins a chunk, and of the trailer; either is refused beyond it.
constexpr size_t kChunkHeadBytesMax = 4096;
constexpr size_t kLengthDigitsMax = 18;
/// Two of one of these would let two readers see two different requests.
constexpr std::string_view kOnce[] = {"Host",   "Content-Length", "Transfer-Encoding",
                                      "Expect", "Authorization",  "Origin"};

[[noreturn]] void Refuse(const std::string& why) { throw HttpRefusal(400, why); }

std::string_view View(string_view text) { return {text.data(), text.size()}; }

bool IsTokenCharacter(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return letter || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool IsControl(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == '\x7f';
}

/// A header's line without its CR LF.
void CheckLine(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') Refuse("a header that goes on in a second line");
  const size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || name.empty() ||
      !std::all_of(name.begin(), name.end(), IsTokenCharacter)) {
    Refuse("a header whose name is none");
  }
  if (std::any_of(line.begin(), line.end(), IsControl)) Refuse("a control character in a header");
}

void CheckLines(std::string_view head) {
  bool first = true;
  while (!head.empty()) {
    const size_t end = head.find("\r\n");
    if (end == std::string_view::npos) Refuse("a line that does not end with CR LF");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 2);
    if (first && std::any_of(line.begin(), line.end(), IsControl))
      Refuse("a control character in the first line");
    if (!first && !line.empty()) CheckLine(line);
    first = false;
  }
}

void CheckOnce(const HttpRequest& request) {
  for (const std::string_view name : kOnce) {
    const auto count =
        std::count_if(request.headers.begin(), request.headers.end(),
                      [&](const HttpField& field) { return EqualIgnoringCase(field.name, name); });
    if (count > 1) Refuse("more than one " + std::string(name));
  }
}

/// The framing of a body, of which Beast would take more than it should.
void CheckFraming(const HttpRequest& request, bool http11) {
  const auto has = [&](std::string_view name) {
    return std::any_of(request.headers.begin(), request.headers.end(),
                       [&](const HttpField& field) { return EqualIgnoringCase(field.name, name); });
  };
  const std::string_view length = request.Header("Content-Length");
  if (has("Content-Length") && (length.empty() || length.size() > kLengthDigitsMax ||
                                length.find_first_not_of("0123456789") != std::string_view::npos)) {
    Refuse("a Content-Length that is no number");
  }
  if (has("Transfer-Encoding")) {
    if (has("Content-Length")) Refuse("Content-Length together with Transfer-Encoding");
    if (!http11) Refuse("Transfer-Encoding in HTTP/1.0");
    if (!EqualIgnoringCase(request.Header("Transfer-Encoding"), "chunked"))
      throw HttpRefusal(501, "a Transfer-Encoding other than chunked");
  }
  if (http11 && !has("Host")) Refuse("no Host");
  if (has("Expect") && !EqualIgnoringCase(request.Header("Expect"), "100-continue"))
    throw HttpRefusal(417, "an expectation other than 100-continue");
}

std::string DecodedQuery(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  auto decoded = PercentDecoded(spaced);
  if (!decoded) Refuse("a % without two hexadecimal digits in the query");
  return std::move(*decoded);
}

std::vector<HttpField> ParseQuery(std::string_view target) {
  std::vector<HttpField> fields;
  const size_t mark = target.find('?');
  std::string_view rest = mark == std::string_view::npos ? "" : target.substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const size_t equals = std::min(pair.find('='), pair.size());
    if (pair.empty()) continue;
    fields.push_back({DecodedQuery(pair.substr(0, equals)),
                      DecodedQuery(pair.substr(std::min(pair.size(), equals + 1)))});
  }
  return fields;
}

}  // namespace

std::optional<size_t> Mamba2Scanner::Scan(std::string_view bytes) {
  for (; scanned_ < bytes.size(); ++scanned_) {
    if (scanned_ >= head_bytes_max_)
      throw HttpRefusal(431, "a head of more than " + std::to_string(head_bytes_max_) + " bytes");
    if (bytes[scanned_] != '\n') continue;
    if (scanned_ == 0 || bytes[scanned_ - 1] != '\r') Refuse("a line that does not end with CR LF");
    if (bytes.substr(0, scanned_ + 1).ends_with("\r\n\r\n")) return scanned_ + 1;
  }
  return std::nullopt;
}

struct RequestParser::Impl : http::basic_parser<true> {
  HttpRequest request;
  const std::function<void(ByteSpan)>* take = nullptr;
  std::exception_ptr failure;
  bool head_done = false;
  bool expects_continue = false;
  bool http11 = false;

  void on_request_impl(http::verb, string_view method, string_view target, int version,
                       error_code&) override {
    http11 = version == 11;
    request.method = View(method);
    request.target = View(target);
  }
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(http::field, string_view name, string_view value, error_code&) override {
    // What a trailer says comes too late to be heeded.
    if (!head_done) request.headers.push_back({std::string(View(name)), std::string(View(value))});
  }
  void on_header_impl(error_code&) override { head_done = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view piece, error_code& code) override {
    // Nothing is thrown through Beast.
    try {
      (*take)(AsBytes(View(piece)));
    } catch (...) {
      failure = std::current_exception();
      code = http::error::end_of_stream;
    }
    return piece.size();
  }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view piece, error_code& code) override {
    return on_body_impl(piece, code);
  }
  void on_finish_impl(error_code&) override {}
};

RequestParser::RequestParser(std::string_view head) : impl_(std::make_unique<Impl>()) {
  CheckLines(head);
  impl_->header_limit(static_cast<std::uint32_t>(head.size() + 1));
  impl_->body_limit(std::numeric_limits<std::uint64_t>::max());  // the server has its own
  error_code code;
  const size_t used = impl_->put(boost::asio::buffer(head.data(), head.size()), code);
  if (code || used != head.size() || !impl_->is_header_done())
    Refuse("no HTTP request: " + (code ? code.message() : "more than one head"));
  impl_->header_limit(kChunkHeadBytesMax);
  HttpRequest& request = impl_->request;
  if (!request.target.starts_with("/")) Refuse("a target that is no path");
  CheckOnce(request);
  CheckFraming(request, impl_->http11);
  request.query = ParseQuery(request.target);
  impl_->expects_continue = impl_->http11 && !request.Header("Expect").empty();
}

RequestParser::~RequestParser() = default;

HttpRequest& RequestParser::request() { return impl_->request; }
bool RequestParser::keep_alive() const { return impl_->http11 && impl_->keep_alive(); }
bool RequestParser::understands_chunks() const { return impl_->http11; }
bool RequestParser::expects_continue() const { return impl_->expects_continue; }
bool RequestParser::complete() const { return impl_->is_done(); }

std::optional<uint64_t> RequestParser::body_bytes() const {
  if (impl_->chunked()) return std::nullopt;
  return impl_->is_done() ? 0 : impl_->content_length().value_or(0);
}

size_t RequestParser::TakeBody(std::string_view bytes,
                               const std::function<void(ByteSpan piece)>& take) {
  impl_->take = &take;
  size_t used = 0;
  while (used < bytes.size() && !impl_->is_done()) {
    error_code code;
    const std::string_view rest = bytes.substr(used);
    used += impl_->put(boost::asio::buffer(rest.data(), rest.size()), code);
    if (impl_->failure) std::rethrow_exception(impl_->failure);
    if (code == http::error::need_more) {
      if (bytes.size() - used > kChunkHeadBytesMax) Refuse("a chunk's head that does not end");
      break;
    }
    if (code) Refuse("a body that is none: " + code.message());
  }
  return used;
}

}  // namespace statelib::cli
