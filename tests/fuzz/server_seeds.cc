// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/server_seeds.h"

#include <fstream>
#include <string>

#include "statestore/storage/manifest.h"
#include "statestore/storage/segment_codec.h"
#include "tests/statestore/sample_new_state.h"
#include "tests/temporary_directory.h"

namespace statelib {

namespace {

namespace fs = std::filesystem;

void Write(const fs::path& path, std::string_view content) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

void WriteRequestSeeds(const fs::path& folder) {
  Write(folder / "get",
        "GET /v1/objects/%61b?name=a+b&x=%41 HTTP/1.1\r\nHost: localhost:8427\r\n"
        "Origin: http://localhost:8427\r\nRange: bytes=0-3\r\n\r\n"
        "GET /files/a/b HTTP/1.0\r\n\r\n");
  Write(folder / "length",
        "PATCH /v1/uploads/ab HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 5\r\nConnection: "
        "close\r\nExpect: 100-continue\r\n\r\nabcde");
  Write(
      folder / "chunks",
      "POST /v1/publish HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n4;a=\"b\"\r\ndefg\r\n0\r\nTrailer: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
}

void WritePublicationSeeds(const fs::path& folder) {
  const TemporaryDirectory directory;
  storage::Repository repository =
      storage::Repository::Open(directory.path() / "library", storage::Repository::Access::kCreate);
  const storage::SampleNewState exact(5, 1);
  storage::Publish(repository, exact.state, {}, storage::Reference::Parse("a"), 1000);
  storage::StateRecord near = storage::SampleState(6, 2);
  for (size_t i = 0; i < near.segments.size(); ++i) {
    const SegmentSpec& spec = near.description.spec[i];
    near.segments[i] = storage::Approximate(storage::CodecFor(storage::Codec::kBf16, spec), spec,
                                            near.segments[i]);
  }
  storage::SampleNewState small(near, 2);
  small.state.codec = storage::Codec::kBf16;
  storage::Publish(repository, small.state, {}, storage::Reference::Parse("b:draft"), 1000);
  const SigningKey key = SigningKey::Create();
  std::string both;
  for (const char* name : {"a", "b:draft"}) {
    const storage::ResolvedState state = repository.Resolve(storage::Reference::Parse(name));
    const auto outgoing = storage::OutgoingManifest::Build(repository, std::span(&state, 1), {});
    for (const SigningKey* signer : {static_cast<const SigningKey*>(nullptr), &key}) {
      const Bytes manifest = storage::EncodeManifest(outgoing.manifest(), signer);
      const std::string had = signer == nullptr ? "" : std::string(sizeof(Digest::bytes), 'x');
      std::byte count[4], size[4];
      StoreLittle<uint32_t>(signer == nullptr ? 0 : 1, count);
      StoreLittle<uint32_t>(static_cast<uint32_t>(manifest.size()), size);
      const std::string entry = std::string(AsText(count)) + had + std::string(AsText(size)) +
                                std::string(AsText(manifest));
      Write(folder / (std::string(1, name[0]) + (signer == nullptr ? "_plain" : "_signed")), entry);
      if (signer == nullptr) both += entry;
    }
  }
  Write(folder / "both", both);
}

}  // namespace

void WriteServerSeeds(const fs::path& corpus) {
  WriteRequestSeeds(corpus / "fuzz_request");
  WritePublicationSeeds(corpus / "fuzz_publication");
}

}  // namespace statelib
