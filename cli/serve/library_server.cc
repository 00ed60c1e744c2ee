// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/library_server.h"

#include <fmt/chrono.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/serve/error_text.h"
#include "cli/serve/file_body.h"
#include "cli/serve/publication.h"
#include "core/base/error.h"
#include "core/base/printable.h"
#include "statestore/remote/fetch.h"
#include "statestore/remote/http_status.h"
#include "statestore/remote/remote.h"
#include "statestore/storage/manifest.h"
#include "statestore/storage/reference.h"

namespace statelib::cli {

namespace {

using Access = library::Library::Access;
using storage::ObjectId;

constexpr size_t kBodyBytesMax = 32u << 20;  // of a request
constexpr size_t kIdBytes = sizeof(Digest::bytes);
constexpr const char* kBinary = "application/octet-stream";

HttpResponse ErrorResponse(int status, const char* kind, const std::string& message) {
  const nlohmann::json json = {{"error", {{"kind", kind}, {"message", message}}}};
  return {.status = status,
          .headers = {{"Content-Type", "application/json"}},
          .body = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"};
}

/// What the server refuses before any handler.
HttpResponse RefusalResponse(int status, const std::string& why) {
  return ErrorResponse(status, NameOf(remote::KindOfStatus(status)), why);
}

HttpResponse BinaryResponse(ByteSpan bytes) {
  return {.headers = {{"Content-Type", kBinary}}, .body = std::string(AsText(bytes))};
}

HttpResponse PositionResponse(const UploadPosition& position) {
  HttpResponse response{.headers = {{"Upload-Offset", std::to_string(position.offset)}}};
  if (position.complete) response.headers.push_back({"Upload-Complete", "1"});
  return response;
}

uint64_t ParseNumber(std::string_view text, const char* what) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    Throw(ErrorKind::kInvalidArgument, "{}: expected a number", what);
  return number;
}

ObjectId ParseId(const HttpRequest& request) {
  const auto id = Digest::FromHex(request.places.at(0));
  if (!id) Throw(ErrorKind::kInvalidArgument, "expected the 64 digits of an object's id");
  return *id;
}

/// The newest version of a name, as a catalogue has it.
std::optional<storage::RemoteVersion> NewestOf(const storage::Index& index, const std::string& name,
                                               const std::string& tag) {
  const auto versions = index.references().Versions(name, tag);
  if (versions.empty()) return std::nullopt;
  const storage::VersionRow& newest = versions.back();
  const auto state = index.states().Find(newest.state);
  return storage::RemoteVersion{name,
                                tag,
                                newest.number,
                                newest.state,
                                state ? state->history.token_count() : 0,
                                newest.created_at_ms,
                                std::nullopt,
                                0};
}

std::string TimeText() {
  const auto now =
      std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(now));
}

/// "2026-11-28T09:00:00Z 192.0.2.7 GET /v1/catalogue 200 512 bytes 3 ms".
std::string LogLine(const HttpAnswered& answered) {
  return fmt::format("{} {} {} {} {} {} bytes {} ms", TimeText(), answered.client,
                     answered.method.empty() ? "-" : answered.method,
                     answered.path.empty() ? "-" : Escaped(answered.path),
                     answered.status == 0 ? "cut" : std::to_string(answered.status), answered.bytes,
                     answered.took.count());
}

}  // namespace

LibraryServer::LibraryServer(LibraryServerOptions options)
    : options_(std::move(options)), server_(ServerOptions()) {
  library::Library::Open(options_.library, Access::kRead);  // fails now rather than at a request
  AddRoutes();
}

HttpServerOptions LibraryServer::ServerOptions() {
  options_.library = std::filesystem::absolute(options_.library).lexically_normal();
  HttpServerOptions server{.limits = options_.limits, .tls = options_.tls};
  server.refusal = RefusalResponse;
  if (options_.hosts) {
    server.gate = [this](const HttpRequest& request) -> std::optional<HttpResponse> {
      const auto refused = options_.hosts->Check(request);
      if (!refused) return std::nullopt;
      return RefusalResponse(refused->status(), refused->what());
    };
  }
  if (options_.log) {
    server.answered = [this](const HttpAnswered& answered) { options_.log(LogLine(answered)); };
  }
  return server;
}

std::optional<HttpResponse> LibraryServer::Refused(const HttpRequest& request, Right right) const {
  const std::string_view bearer = "Bearer ";
  const std::string_view header = request.Header("Authorization");
  const std::string_view token = header.starts_with(bearer) ? header.substr(bearer.size()) : "";
  // Hashes take the same time to compare wherever the tokens differ.
  const auto is = [&](const std::string& wanted) {
    return !wanted.empty() && HashOf(AsBytes(token)) == HashOf(AsBytes(wanted));
  };
  if (is(options_.write_token)) return std::nullopt;
  if (right == Right::kRead && (options_.read_token.empty() || is(options_.read_token)))
    return std::nullopt;
  if (!token.empty())
    return ErrorResponse(403, "invalid_argument", "the token does not allow this");
  HttpResponse response = ErrorResponse(401, "invalid_argument", "a token is needed");
  response.headers.push_back({"WWW-Authenticate", "Bearer"});
  return response;
}

HttpResponse LibraryServer::Failed(const HttpRequest& request, int status, const char* kind,
                                   const std::string& message) const {
  if (options_.log && status >= 500) {
    options_.log(fmt::format("{} {} {} {}: {}", TimeText(), request.client, request.method,
                             Escaped(request.path()), message));
  }
  HttpResponse response = ErrorResponse(status, kind, WithoutPaths(message, options_.library));
  if (status == 503) response.headers.push_back({"Retry-After", "1"});
  return response;
}

void LibraryServer::Add(HttpRoute route, Right right, Body body) {
  route.gate = [this, right](const HttpRequest& request) { return Refused(request, right); };
  if (route.body != BodyUse::kNone) route.body_bytes_max = kBodyBytesMax;
  route.handler = [this, right, body = std::move(body)](const HttpRequest& request,
                                                        const BodyReader& read) -> HttpResponse {
    try {
      library::Library library = library::Library::Open(
          options_.library, right == Right::kRead ? Access::kRead : Access::kWrite);
      return body(library, request, read);
    } catch (const HttpRefusal& refusal) {
      return RefusalResponse(refusal.status(), refusal.what());
    } catch (const Error& error) {
      return Failed(request, remote::StatusOfKind(error.kind()), NameOf(error.kind()),
                    error.what());
    } catch (const std::bad_alloc&) {
      return Failed(request, 503, "busy", "out of memory");
    } catch (const std::exception& error) {
      return Failed(request, 500, "io", error.what());
    }
  };
  server_.Add(std::move(route));
}

void LibraryServer::AddRoutes() {
  using library::Library;
  Add({.method = "GET", .pattern = "/v1/catalogue"}, Right::kRead,
      [](Library& library, const HttpRequest&, const BodyReader&) {
        return GetCatalogue(library);
      });
  Add({.method = "GET", .pattern = "/v1/manifest"}, Right::kRead,
      [this](Library& library, const HttpRequest& request, const BodyReader&) {
        return GetManifest(library, request);
      });
  Add({.method = "GET", .pattern = "/v1/objects/{}"}, Right::kRead,
      [](Library& library, const HttpRequest& request, const BodyReader&) {
        return GetObject(library, request);
      });
  Add({.method = "GET", .pattern = "/v1/uploads/{}"}, Right::kWrite,
      [](Library& library, const HttpRequest& request, const BodyReader&) {
        return PositionResponse(FindUpload(library.repository(), ParseId(request)));
      });
  Add({.method = "PATCH", .pattern = "/v1/uploads/{}", .body = BodyUse::kStreamed}, Right::kWrite,
      PatchUpload);
  Add({.method = "POST", .pattern = "/v1/missing", .body = BodyUse::kCollected}, Right::kWrite,
      [](Library& library, const HttpRequest& request, const BodyReader&) {
        return PostMissing(library, request.body);
      });
  Add({.method = "POST", .pattern = "/v1/publish", .body = BodyUse::kCollected}, Right::kWrite,
      [this](Library& library, const HttpRequest& request, const BodyReader&) {
        return PostPublish(library, request);
      });
}

HttpResponse LibraryServer::GetCatalogue(library::Library& library) {
  std::vector<storage::RemoteVersion> versions;
  const storage::Index& index = library.repository().index();
  index.Read([&] {
    for (const storage::ReferenceRow& row : index.references().List({})) {
      for (const storage::VersionRow& version : index.references().Versions(row.name, row.tag)) {
        const auto state = index.states().Find(version.state);
        versions.push_back({row.name, row.tag, version.number, version.state,
                            state ? state->history.token_count() : 0, version.created_at_ms,
                            std::nullopt, 0});
      }
    }
  });
  return BinaryResponse(remote::EncodeCatalogue(versions));
}

HttpResponse LibraryServer::GetManifest(library::Library& library,
                                        const HttpRequest& request) const {
  const storage::Reference reference{std::string(request.Query("name")),
                                     std::string(request.Query("tag")),
                                     ParseNumber(request.Query("version"), "version")};
  storage::CheckName(reference.name);
  storage::CheckTag(reference.tag);
  const storage::Lease lease = library.repository().ReadLease();
  const storage::ResolvedState state = library.repository().Resolve(reference);
  const auto outgoing =
      storage::OutgoingManifest::Build(library.repository(), std::span(&state, 1), {});
  return BinaryResponse(
      storage::EncodeManifest(outgoing.manifest(), options_.key ? &*options_.key : nullptr));
}

HttpResponse LibraryServer::PostMissing(library::Library& library, const std::string& body) {
  if (body.size() % kIdBytes != 0) Throw(ErrorKind::kInvalidArgument, "ids have 32 bytes each");
  std::string missing;
  for (size_t at = 0; at < body.size(); at += kIdBytes) {
    const std::string id = body.substr(at, kIdBytes);
    if (!library.repository().objects().Exists(*Digest::FromBytes(AsBytes(id)))) missing += id;
  }
  return BinaryResponse(AsBytes(missing));
}

HttpResponse LibraryServer::GetObject(library::Library& library, const HttpRequest& request) {
  const ObjectId id = ParseId(request);
  if (!library.repository().objects().Exists(id))
    Throw(ErrorKind::kNotFound, "there is no object {}", id.ShortHex());
  return AnswerFile(request, library.repository().objects().PathOf(id), kBinary);
}

HttpResponse LibraryServer::PatchUpload(library::Library& library, const HttpRequest& request,
                                        const BodyReader& read) {
  const ObjectId id = ParseId(request);
  const uint64_t offset = ParseNumber(request.Header("Upload-Offset"), "Upload-Offset");
  const uint64_t length = ParseNumber(request.Header("Upload-Length"), "Upload-Length");
  return PositionResponse(AppendUpload(library.repository(), id, offset, length, read));
}

HttpResponse LibraryServer::PostPublish(library::Library& library, const HttpRequest& request) {
  std::vector<IncomingVersion> entries = ParsePublication(AsBytes(request.body), library.now_ms());
  storage::Repository& repository = library.repository();
  const storage::Lease lease = repository.WriteLease();
  for (const IncomingVersion& entry : entries) {
    std::optional<PublicKey> signer;
    if (entry.manifest.signature) signer = entry.manifest.signature->signer;
    library::RequireAccepted(library::JudgeSigner(options_.keys, signer, options_.policy),
                             entry.reference().name);
    // What was never sent is no damage of this library.
    for (const auto& object : entry.manifest.manifest.objects) {
      if (repository.objects().Exists(object.id)) continue;
      Throw(ErrorKind::kNotFound, "{}: there is no object {} here; send it first",
            entry.reference().name, object.id.ShortHex());
    }
    remote::FetchedObjects source(repository, entry.manifest.manifest, entry.reference().name);
    storage::Admission admission(repository, options_.max_state_bytes);
    storage::VerifyObjects(source, admission);
  }
  storage::Index& index = repository.index();
  index.Write([&] {
    // Each name once, for what follows in the same publication builds on what came before.
    std::set<std::pair<std::string, std::string>> seen;
    for (const IncomingVersion& entry : entries) {
      const auto& reference = entry.reference();
      if (!seen.emplace(reference.name, reference.tag).second) continue;
      const auto newest = NewestOf(index, reference.name, reference.tag);
      remote::CheckGoesOn(entry.publication(), newest ? &*newest : nullptr, "");
    }
    for (IncomingVersion& entry : entries) {
      remote::FetchedObjects source(repository, std::move(entry.manifest.manifest), "push");
      storage::ImportOptions options;
      options.naming = storage::ImportNaming::kOnlyWhatIsNew;
      storage::ImportObjects(repository, source, entry.origin, options, library.now_ms());
    }
  });
  return {.headers = {{"Content-Type", "application/json"}}, .body = "{}\n"};
}

int LibraryServer::Bind(const std::string& host, int port) { return server_.Bind(host, port); }

void LibraryServer::Run(const CancelFlag& cancel) { server_.Run(cancel); }

}  // namespace statelib::cli
