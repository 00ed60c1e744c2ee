// SPDX-License-Identifier: Apache-2.0
#include "statestore/remote/http_remote.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/printable.h"
#include "statestore/remote/http_client.h"
#include "statestore/remote/http_status.h"
#include "statestore/storage/limits.h"
#include "statestore/storage/reference.h"

namespace statelib::remote {

namespace {

constexpr uint64_t kChunkBytes = 4u << 20;  // of an upload; what was not acknowledged is sent again
constexpr size_t kIdsPerRequest = 4096;

std::optional<uint64_t> Number(const std::string& text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

void AppendNumber(uint32_t number, Bytes* body) {
  body->resize(body->size() + 4);
  StoreLittle(number, body->data() + body->size() - 4);
}

class HttpRemote : public Remote {
 public:
  HttpRemote(std::string url, std::string token, const Waits& waits)
      : location_(std::move(url)), token_(std::move(token)), client_(waits), waits_(waits) {
    while (location_.ends_with("/")) location_.pop_back();
  }

  const std::string& location() const override { return location_; }

  std::vector<RemoteVersion> List() override {
    const HttpResponse response = Ask({.method = "GET",
                                       .url = "/v1/catalogue",
                                       .response_bytes_max = storage::kManifestBytesMax + 1024});
    return DecodeCatalogue(response.body, location_ + ": catalogue");
  }

  Bytes GetManifest(const RemoteVersion& version) override {
    const std::string path =
        fmt::format("/v1/manifest?name={}&tag={}&version={}", UrlEncoded(version.name),
                    UrlEncoded(version.tag), version.number);
    return Ask({.method = "GET", .url = path, .response_bytes_max = storage::kManifestBytesMax})
        .body;
  }

  std::vector<bool> HasObjects(std::span<const TransferObject> objects) override {
    std::vector<bool> has;
    while (!objects.empty()) {
      const auto some = objects.first(std::min(objects.size(), kIdsPerRequest));
      Bytes ids;
      for (const TransferObject& object : some)
        ids.insert(ids.end(), object.id.bytes.begin(), object.id.bytes.end());
      const HttpResponse response = Ask({.method = "POST", .url = "/v1/missing", .body = ids});
      const std::set<ObjectId> missing = ReadIds(response.body);
      for (const TransferObject& object : some) has.push_back(!missing.contains(object.id));
      objects = objects.subspan(some.size());
    }
    return has;
  }

  void GetObject(const TransferObject& object, uint64_t offset, const Sink& sink) override {
    Patience patience(waits_, location_);
    patience.Run([&] {
      if (offset == object.size_bytes) return;
      HttpRequest request{.method = "GET", .url = location_ + "/v1/objects/" + object.id.Hex()};
      request.headers.push_back(fmt::format("Range: bytes={}-", offset));
      request.sink = [&](ByteSpan bytes) {
        sink(bytes);
        offset += bytes.size();
        patience.Progress();
      };
      const uint64_t began = offset;
      const HttpResponse response = Send(std::move(request));
      // 200 is the whole, which would now stand behind what came before.
      if (response.status != 206 && began > 0)
        Throw(ErrorKind::kUnsupported, "{}: it does not answer ranges", location_);
      if (offset < object.size_bytes)
        Throw(ErrorKind::kIo, "{}: the connection was cut; try again", location_);
    });
  }

  void PutObject(const TransferObject& object, const ByteSource& bytes) override {
    const std::string path = "/v1/uploads/" + object.id.Hex();
    std::optional<uint64_t> offset;  // empty: ask
    uint64_t farthest = 0;
    Bytes buffer;
    Patience patience(waits_, location_);
    const auto came_to = [&](const HttpResponse& response) {
      offset = OffsetOf(response, bytes.size());
      if (std::exchange(farthest, std::max(farthest, *offset)) < *offset) patience.Progress();
    };
    patience.Run([&] {
      if (!offset) came_to(Send({.method = "GET", .url = location_ + path}));
      while (*offset < bytes.size()) {
        const uint64_t from = *std::exchange(offset, std::nullopt);
        HttpRequest request{.method = "PATCH", .url = location_ + path};
        request.headers = {"Content-Type: application/octet-stream",
                           fmt::format("Upload-Offset: {}", from),
                           fmt::format("Upload-Length: {}", bytes.size())};
        request.body = bytes.View(from, std::min(kChunkBytes, bytes.size() - from), &buffer);
        const HttpResponse response = Perform(std::move(request));
        // The upload is elsewhere than we thought: another client is at it, or gc was.
        if (response.status == StatusOfKind(ErrorKind::kMismatch))
          Throw(ErrorKind::kBusy, "{}: object {} is being sent by another", location_,
                object.id.ShortHex());
        Check(response);
        came_to(response);
      }
    });
  }

  bool Publish(std::span<const Publication> publications, int64_t /*now_ms*/) override {
    Bytes body;
    for (const Publication& publication : publications) {
      AppendNumber(
          publication.had ? static_cast<uint32_t>(publication.had->size()) : kWhateverIsThere,
          &body);
      for (const StateId& state : publication.had.value_or(std::vector<StateId>()))
        body.insert(body.end(), state.bytes.begin(), state.bytes.end());
      AppendNumber(static_cast<uint32_t>(publication.manifest.size()), &body);
      body.insert(body.end(), publication.manifest.begin(), publication.manifest.end());
    }
    // Not sent again when the answer is lost: the caller looks what has become of it.
    Send({.method = "POST", .url = location_ + "/v1/publish", .body = body});
    return true;
  }

 private:
  /// A request that may be repeated.
  HttpResponse Ask(HttpRequest request) {
    request.url = location_ + request.url;
    HttpResponse response;
    Patience(waits_, location_).Run([&] { response = Send(request); });
    return response;
  }

  HttpResponse Send(HttpRequest request) {
    HttpResponse response = Perform(std::move(request));
    Check(response);
    return response;
  }

  HttpResponse Perform(HttpRequest request) {
    if (!token_.empty()) request.headers.push_back("Authorization: Bearer " + token_);
    return client_.Perform(request);
  }

  /// Throws what the server says has gone wrong, as it would have been thrown here.
  void Check(const HttpResponse& response) const {
    if (response.ok()) return;
    if (response.status == 401 || response.status == 403) {
      Throw(ErrorKind::kInvalidArgument,
            "{}: {}; set STATELIB_TOKEN, or name a file that holds it with `statelib remote add "
            "NAME URL --token-file FILE`",
            location_,
            response.status == 401 ? "it wants a token" : "the token does not allow this");
    }
    std::string message = fmt::format("HTTP status {}", response.status);
    ErrorKind kind = KindOfStatus(response.status);
    try {
      const JsonDocument document = JsonDocument::Parse(response.body, "answer");
      const JsonValue error = document.root()["error"];
      message = Escaped(error["message"].String());
      if (const auto named = KindOfName(error["kind"].String())) kind = *named;
    } catch (const Error&) {
      // Not one of ours, as a proxy's page: the status has to do.
    }
    Throw(kind, "{}: {}", location_, message);
  }

  uint64_t OffsetOf(const HttpResponse& response, uint64_t limit) const {
    const auto offset = Number(response.Header("upload-offset"));
    if (!offset || *offset > limit)
      Throw(ErrorKind::kUnsupported, "{}: no statelib server: it tells no offset", location_);
    return *offset;
  }

  std::set<ObjectId> ReadIds(const Bytes& body) const {
    constexpr size_t kIdBytes = sizeof(Digest::bytes);
    if (body.size() % kIdBytes != 0)
      Throw(ErrorKind::kCorrupt, "{}: a list of ids of {} bytes", location_, body.size());
    std::set<ObjectId> ids;
    for (size_t at = 0; at < body.size(); at += kIdBytes)
      ids.insert(*Digest::FromBytes(ByteSpan(body).subspan(at, kIdBytes)));
    return ids;
  }

  std::string location_;
  std::string token_;
  HttpClient client_;
  Waits waits_;
};

}  // namespace

std::unique_ptr<Remote> OpenHttpRemote(const std::string& url, const std::string& token,
                                       const Waits& waits) {
  return std::make_unique<HttpRemote>(url, token, waits);
}

}  // namespace statelib::remote
