// SPDX-License-Identifier: Apache-2.0
#include "statestore/remote/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <exception>
#include <utility>

#include "core/base/error.h"

namespace statelib::remote {

namespace {

/// A connection that brings less than this many bytes a second is taken for dead after as long as
/// silence is waited for.
constexpr long kSlowBytes = 64;
constexpr int kAttempts = 6;

void InitialiseOnce() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) Throw(ErrorKind::kIo, "libcurl: {}", curl_easy_strerror(code));
}

std::string Trimmed(std::string_view text) {
  const auto is_space = [](unsigned char c) { return std::isspace(c) != 0; };
  while (!text.empty() && is_space(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && is_space(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return std::string(text);
}

/// One transfer that is under way. Nothing may be thrown through libcurl, so what a callback throws
/// waits here.
struct Exchange {
  CURL* curl = nullptr;
  const HttpRequest* request = nullptr;
  Wait wait;
  HttpResponse response{};
  uint64_t body_sent = 0;
  curl_off_t moved = 0;  // bytes, both ways
  std::exception_ptr failure{};

  uint64_t body_bytes() const {
    return request->upload != nullptr ? request->upload->size() : request->body.size();
  }

  size_t GiveBody(std::span<std::byte> out) {
    out = out.first(std::min<uint64_t>(out.size(), body_bytes() - body_sent));
    if (request->upload != nullptr)
      request->upload->Read(body_sent, out);
    else
      std::copy_n(request->body.begin() + static_cast<std::ptrdiff_t>(body_sent), out.size(),
                  out.begin());
    body_sent += out.size();
    return out.size();
  }

  void TakeHeader(std::string_view line) {
    if (line.starts_with("HTTP/")) response.headers.clear();  // of a "100 Continue" before
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    response.headers[name] = Trimmed(line.substr(colon + 1));
  }

  void TakeBody(ByteSpan bytes) {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (request->sink && status >= 200 && status < 300) return request->sink(bytes);
    if (bytes.size() > request->response_bytes_max - response.body.size()) {
      Throw(ErrorKind::kCorrupt, "{}: an answer of more than {} bytes", request->url,
            request->response_bytes_max);
    }
    response.body.insert(response.body.end(), bytes.begin(), bytes.end());
  }
};

size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  static_cast<Exchange*>(user)->TakeHeader({data, size * count});
  return size * count;
}

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  try {
    exchange.TakeBody(AsBytes({data, size * count}));
    return size * count;
  } catch (...) {
    exchange.failure = std::current_exception();
    return CURL_WRITEFUNC_ERROR;
  }
}

size_t OnRead(char* data, size_t size, size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  try {
    return exchange.GiveBody({reinterpret_cast<std::byte*>(data), size * count});
  } catch (...) {
    exchange.failure = std::current_exception();
    return CURL_READFUNC_ABORT;
  }
}

int OnProgress(void* user, curl_off_t, curl_off_t received, curl_off_t, curl_off_t sent) {
  auto& exchange = *static_cast<Exchange*>(user);
  try {
    if (std::exchange(exchange.moved, received + sent) < received + sent) exchange.wait.Begin();
    exchange.wait.Check();
    return 0;
  } catch (...) {
    exchange.failure = std::current_exception();
    return 1;
  }
}

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

}  // namespace

std::string HttpResponse::Header(const std::string& name) const {
  const auto place = headers.find(name);
  return place == headers.end() ? "" : place->second;
}

struct HttpClient::Impl {
  CURL* curl = nullptr;
  Waits waits;

  void SetUp(Exchange& exchange, curl_slist* headers, char* reason) const {
    const HttpRequest& request = *exchange.request;
    curl_easy_reset(curl);  // keeps the connection
    curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    // Where nothing comes at all the wait ends first, with a better message.
    const long seconds =
        1 + std::chrono::ceil<std::chrono::seconds>(exchange.wait.timeout()).count();
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, seconds);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kSlowBytes);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, seconds);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, OnProgress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &exchange);
    if (request.method == "HEAD") {
      curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (request.method != "GET" && request.method != "DELETE") {
      curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
      curl_easy_setopt(curl, CURLOPT_READFUNCTION, OnRead);
      curl_easy_setopt(curl, CURLOPT_READDATA, &exchange);
      // No seek function: libcurl would send a body whose connection was cut again from its
      // beginning, where the caller knows better.
      curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE,
                       static_cast<curl_off_t>(exchange.body_bytes()));
    }
    if (request.method != "HEAD")
      curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
};

HttpClient::HttpClient(const Waits& waits) : impl_(std::make_unique<Impl>()) {
  InitialiseOnce();
  impl_->waits = waits;
  impl_->curl = curl_easy_init();
  if (impl_->curl == nullptr) Throw(ErrorKind::kIo, "libcurl cannot begin");
}

HttpClient::~HttpClient() { curl_easy_cleanup(impl_->curl); }

HttpResponse HttpClient::Perform(const HttpRequest& request) {
  Exchange exchange{impl_->curl, &request, Wait(impl_->waits, kSilenceTimeout, request.url)};
  std::unique_ptr<curl_slist, FreeList> headers;
  const auto add = [&](const std::string& line) {
    curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    static_cast<void>(headers.release());
    headers.reset(longer);
  };
  add("Expect:");  // no waiting for a "100 Continue" before a body
  add("User-Agent: statelib");
  for (const std::string& line : request.headers) add(line);
  char reason[CURL_ERROR_SIZE] = "";
  impl_->SetUp(exchange, headers.get(), reason);
  const CURLcode code = curl_easy_perform(impl_->curl);
  if (exchange.failure) std::rethrow_exception(exchange.failure);
  if (code != CURLE_OK) {
    const bool bad_url = code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL;
    Throw(bad_url ? ErrorKind::kInvalidArgument : ErrorKind::kIo, "{}: {}; try again", request.url,
          reason[0] != '\0' ? reason : curl_easy_strerror(code));
  }
  curl_easy_getinfo(impl_->curl, CURLINFO_RESPONSE_CODE, &exchange.response.status);
  return std::move(exchange.response);
}

void Patience::Run(const std::function<void()>& attempt) {
  while (true) {
    try {
      return attempt();
    } catch (const Error& error) {
      const bool passing = error.kind() == ErrorKind::kIo || error.kind() == ErrorKind::kBusy;
      if (!passing || ++failures_ >= kAttempts || wait_.over()) throw;
    }
    wait_.Sleep(std::chrono::milliseconds(50) * (1 << failures_));
  }
}

std::string UrlEncoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~';
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return encoded;
}

}  // namespace statelib::remote
