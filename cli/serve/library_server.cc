// SPDX-License-Identifier: Apache-2.0
#include "cli/serve/library_server.h"

#include <charconv>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/base/error.h"
#include "statestore/remote/fetch.h"
#include "statestore/remote/http_status.h"
#include "statestore/remote/remote.h"
#include "statestore/storage/manifest.h"

namespace statelib::cli {

namespace {

using Access = library::Library::Access;
using storage::ObjectId;

constexpr size_t kBodyBytesMax = 32u << 20;  // of a request that is collected; uploads are not
constexpr size_t kBlockBytes = 256u << 10;
constexpr size_t kIdBytes = sizeof(Digest::bytes);
constexpr const char* kBinary = "application/octet-stream";

void SetError(httplib::Response& response, int status, const char* kind,
              const std::string& message) {
  const nlohmann::json json = {{"error", {{"kind", kind}, {"message", message}}}};
  response.status = status;
  response.set_content(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n",
                       "application/json");
}

uint64_t ParseNumber(const std::string& text, const char* what) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    Throw(ErrorKind::kInvalidArgument, "{}: expected a number", what);
  return number;
}

ObjectId ParseId(const std::string& text) {
  const auto id = Digest::FromHex(text);
  if (!id) Throw(ErrorKind::kInvalidArgument, "expected the 64 digits of an object's id");
  return *id;
}

/// Collects a body of bounded size.
std::string CollectBody(const BodyReader& read) {
  std::string body;
  bool too_large = false;
  read([&](ByteSpan piece) {
    too_large = too_large || piece.size() > kBodyBytesMax - body.size();
    if (!too_large) body += AsText(piece);
  });
  if (too_large) Throw(ErrorKind::kInvalidArgument, "a body of more than {} bytes", kBodyBytesMax);
  return body;
}

void SetBytes(httplib::Response& response, ByteSpan bytes) {
  response.set_content(std::string(AsText(bytes)), kBinary);
}

void SetPosition(httplib::Response& response, const UploadPosition& position) {
  response.status = 200;
  response.set_header("Upload-Offset", std::to_string(position.offset));
  if (position.complete) response.set_header("Upload-Complete", "1");
}

/// One entry of a publication's body.
struct Incoming {
  std::optional<storage::StateId> expected;
  storage::SignedManifest manifest;
  storage::SourceRecord origin;

  const storage::BundleManifest::Reference& reference() const {
    return manifest.manifest.references.front();
  }
};

std::vector<Incoming> ParsePublication(ByteSpan body, int64_t now_ms) {
  std::vector<Incoming> entries;
  while (!body.empty()) {
    if (body.size() < kIdBytes + 4) Throw(ErrorKind::kCorrupt, "a publication that was cut short");
    const Digest expected = *Digest::FromBytes(body.first(kIdBytes));
    const auto size = LoadLittle<uint32_t>(body.data() + kIdBytes);
    body = body.subspan(kIdBytes + 4);
    if (size > body.size()) Throw(ErrorKind::kCorrupt, "a publication that was cut short");
    const ByteSpan bytes = body.first(size);
    body = body.subspan(size);
    Incoming entry{{}, storage::DecodeManifest(bytes, "manifest"), {}};
    if (entry.manifest.manifest.references.size() != 1)
      Throw(ErrorKind::kInvalidArgument, "a manifest of other than one version");
    if (expected != Digest{}) entry.expected = expected;
    entry.origin = {"push", bytes.size(), HashOf(bytes), 0, now_ms};
    entries.push_back(std::move(entry));
  }
  if (entries.empty()) Throw(ErrorKind::kInvalidArgument, "a publication of nothing");
  return entries;
}

/// The state of the newest version of a name.
std::optional<storage::StateId> NewestOf(const storage::Index& index, const std::string& name,
                                         const std::string& tag) {
  const auto versions = index.references().Versions(name, tag);
  if (versions.empty()) return std::nullopt;
  return versions.back().state;
}

}  // namespace

LibraryServer::LibraryServer(LibraryServerOptions options)
    : options_(std::move(options)), server_(options_.limits) {
  library::Library::Open(options_.library, Access::kRead);  // fails now rather than at a request
  server_.set_payload_max_length(kBodyBytesMax);
  server_.set_tcp_nodelay(true);
  if (options_.log) {
    server_.set_logger([this](const Request& request, const Response& response) {
      options_.log(fmt::format("{} {} {}", request.method, request.path, response.status));
    });
  }
  AddRoutes();
}

bool LibraryServer::IsAllowed(const Request& request, Response& response, Right right) const {
  const std::string bearer = "Bearer ";
  const std::string header = request.get_header_value("Authorization");
  const std::string token = header.starts_with(bearer) ? header.substr(bearer.size()) : "";
  // Hashes take the same time to compare wherever the tokens differ.
  const auto is = [&](const std::string& wanted) {
    return !wanted.empty() && HashOf(AsBytes(token)) == HashOf(AsBytes(wanted));
  };
  if (is(options_.write_token)) return true;
  if (right == Right::kRead && (options_.read_token.empty() || is(options_.read_token)))
    return true;
  if (token.empty()) {
    response.set_header("WWW-Authenticate", "Bearer");
    SetError(response, 401, "invalid_argument", "a token is needed");
  } else {
    SetError(response, 403, "invalid_argument", "the token does not allow this");
  }
  return false;
}

template <typename Body>
void LibraryServer::Answer(const Request& request, Response& response, Right right, Body body) {
  if (!IsAllowed(request, response, right)) return;
  try {
    library::Library library = library::Library::Open(
        options_.library, right == Right::kRead ? Access::kRead : Access::kWrite);
    body(library);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kBusy) response.set_header("Retry-After", "1");
    SetError(response, remote::StatusOfKind(error.kind()), NameOf(error.kind()), error.what());
  } catch (const std::bad_alloc&) {
    SetError(response, 503, "busy", "out of memory");
  } catch (const std::exception& error) {
    SetError(response, 500, "io", error.what());
  }
}

void LibraryServer::AddRoutes() {
  server_.Get("/v1/catalogue", [this](const Request& request, Response& response) {
    Answer(request, response, Right::kRead,
           [&](library::Library& library) { GetCatalogue(library, response); });
  });
  server_.Get("/v1/manifest", [this](const Request& request, Response& response) {
    Answer(request, response, Right::kRead,
           [&](library::Library& library) { GetManifest(library, request, response); });
  });
  server_.Get("/v1/objects/([0-9a-f]{64})", [this](const Request& request, Response& response) {
    Answer(request, response, Right::kRead,
           [&](library::Library& library) { GetObject(library, request, response); });
  });
  server_.Get("/v1/uploads/([0-9a-f]{64})", [this](const Request& request, Response& response) {
    Answer(request, response, Right::kWrite,
           [&](library::Library& library) { GetUpload(library, request, response); });
  });
  // What a handler leaves of a body would be taken for the next request.
  const auto with_body = [this](auto handler) {
    return [this, handler](const Request& request, Response& response,
                           const httplib::ContentReader& content) {
      bool read = false;
      const BodyReader reader = [&](const std::function<void(ByteSpan)>& take) {
        read = true;
        return content([&](const char* data, size_t size) {
          take(AsBytes({data, size}));
          return true;
        });
      };
      Answer(request, response, Right::kWrite,
             [&](library::Library& library) { handler(library, request, response, reader); });
      if (!read) reader([](ByteSpan) {});
    };
  };
  server_.Patch(
      "/v1/uploads/([0-9a-f]{64})",
      with_body([this](library::Library& library, const Request& request, Response& response,
                       const BodyReader& read) { PatchUpload(library, request, response, read); }));
  server_.Post("/v1/missing", with_body([this](library::Library& library, const Request&,
                                               Response& response, const BodyReader& read) {
                 PostMissing(library, CollectBody(read), response);
               }));
  server_.Post("/v1/publish", with_body([this](library::Library& library, const Request&,
                                               Response& response, const BodyReader& read) {
                 PostPublish(library, CollectBody(read), response);
               }));
  server_.set_error_handler([](const Request&, Response& response) {
    if (!response.body.empty()) return;
    const ErrorKind kind = remote::KindOfStatus(response.status);
    SetError(response, response.status, NameOf(kind), "no such place, or a request too large");
  });
}

void LibraryServer::GetCatalogue(library::Library& library, Response& response) {
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
  SetBytes(response, remote::EncodeCatalogue(versions));
}

void LibraryServer::GetManifest(library::Library& library, const Request& request,
                                Response& response) {
  const storage::Reference reference{request.get_param_value("name"),
                                     request.get_param_value("tag"),
                                     ParseNumber(request.get_param_value("version"), "version")};
  storage::CheckName(reference.name);
  storage::CheckTag(reference.tag);
  const storage::Lease lease = library.repository().ReadLease();
  const storage::ResolvedState state = library.repository().Resolve(reference);
  const auto outgoing =
      storage::OutgoingManifest::Build(library.repository(), std::span(&state, 1), {});
  SetBytes(response,
           storage::EncodeManifest(outgoing.manifest(), options_.key ? &*options_.key : nullptr));
}

void LibraryServer::PostMissing(library::Library& library, const std::string& body,
                                Response& response) {
  if (body.size() % kIdBytes != 0) Throw(ErrorKind::kInvalidArgument, "ids have 32 bytes each");
  std::string missing;
  for (size_t at = 0; at < body.size(); at += kIdBytes) {
    const std::string id = body.substr(at, kIdBytes);
    if (!library.repository().objects().Exists(*Digest::FromBytes(AsBytes(id)))) missing += id;
  }
  response.set_content(missing, kBinary);
}

void LibraryServer::GetObject(library::Library& library, const Request& request,
                              Response& response) {
  const ObjectId id = ParseId(request.matches[1]);
  if (!library.repository().objects().Exists(id))
    Throw(ErrorKind::kNotFound, "there is no object {}", id.ShortHex());
  const uint64_t size = library.repository().objects().StoredBytes(id);
  const auto file =
      std::make_shared<std::ifstream>(library.repository().objects().PathOf(id), std::ios::binary);
  if (!*file) ThrowErrno("cannot open", id.ShortHex(), errno);
  response.set_content_provider(
      size, kBinary, [file](size_t offset, size_t length, httplib::DataSink& sink) {
        std::string block(std::min(length, kBlockBytes), '\0');
        file->seekg(static_cast<std::streamoff>(offset));
        file->read(block.data(), std::ssize(block));
        return file->gcount() > 0 && sink.write(block.data(), static_cast<size_t>(file->gcount()));
      });
}

void LibraryServer::GetUpload(library::Library& library, const Request& request,
                              Response& response) {
  SetPosition(response, FindUpload(library.repository(), ParseId(request.matches[1])));
}

void LibraryServer::PatchUpload(library::Library& library, const Request& request,
                                Response& response, const BodyReader& read) {
  const ObjectId id = ParseId(request.matches[1]);
  const uint64_t offset = ParseNumber(request.get_header_value("Upload-Offset"), "Upload-Offset");
  const uint64_t length = ParseNumber(request.get_header_value("Upload-Length"), "Upload-Length");
  SetPosition(response, AppendUpload(library.repository(), id, offset, length, read));
}

void LibraryServer::PostPublish(library::Library& library, const std::string& body,
                                Response& response) {
  std::vector<Incoming> entries = ParsePublication(AsBytes(body), library.now_ms());
  storage::Repository& repository = library.repository();
  const storage::Lease lease = repository.WriteLease();
  for (const Incoming& entry : entries) {
    std::optional<PublicKey> signer;
    if (entry.manifest.signature) signer = entry.manifest.signature->signer;
    library::RequireAccepted(library::JudgeSigner(options_.keys, signer, options_.policy),
                             entry.reference().name);
    remote::FetchedObjects source(repository, entry.manifest.manifest, entry.reference().name);
    storage::VerifyObjects(source);
  }
  bool changed = false;
  storage::Index& index = repository.index();
  index.Write([&] {
    // Each name once, for what follows in the same publication builds on what came before.
    std::set<std::pair<std::string, std::string>> seen;
    for (const Incoming& entry : entries) {
      const auto& reference = entry.reference();
      if (!seen.emplace(reference.name, reference.tag).second) continue;
      changed = changed || NewestOf(index, reference.name, reference.tag) != entry.expected;
    }
    if (changed) return;
    for (Incoming& entry : entries) {
      remote::FetchedObjects source(repository, std::move(entry.manifest.manifest), "push");
      storage::ImportOptions options;
      options.naming = storage::ImportNaming::kOnlyWhatIsNew;
      storage::ImportObjects(repository, source, entry.origin, options, library.now_ms());
    }
  });
  if (changed)
    return SetError(response, remote::kHttpChanged, "busy", "a name has moved meanwhile");
  response.set_content("{}\n", "application/json");
}

int LibraryServer::Bind(const std::string& host, int port) {
  const int bound = port == 0                          ? server_.bind_to_any_port(host)
                    : server_.bind_to_port(host, port) ? port
                                                       : -1;
  if (bound <= 0) {
    Throw(ErrorKind::kIo, "cannot listen at {} port {}: taken, or not an address of this machine",
          host, port);
  }
  return bound;
}

void LibraryServer::Run(const CancelFlag& cancel) {
  std::atomic<bool> ended = false;
  std::thread watch([&] {
    while (!ended && !cancel.cancelled())
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    while (!ended && !server_.is_running())
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    server_.StopSoon();
  });
  const bool listened = server_.listen_after_bind();
  ended = true;
  watch.join();
  if (!listened && !cancel.cancelled()) Throw(ErrorKind::kIo, "the server stopped listening");
}

}  // namespace statelib::cli
