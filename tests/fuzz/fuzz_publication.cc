// SPDX-License-Identifier: Apache-2.0
// The body of a publication: for each version the states that were had, a length, a
// signed manifest.
#include <cstring>

#include "cli/serve/publication.h"
#include "statestore/remote/http_status.h"
#include "statestore/storage/file_head.h"
#include "statestore/storage/reference.h"
#include "tests/fuzz/fuzz_input.h"

namespace statelib::cli {
namespace {

constexpr size_t kNumberBytes = sizeof(uint32_t);

/// The body with the right hash over each manifest's head, so that what is changed there is read
/// too.
Bytes WithHeadHashes(ByteSpan body) {
  Bytes bytes(body.begin(), body.end());
  size_t at = 0;
  while (bytes.size() - at >= kNumberBytes) {
    const auto count = LoadLittle<uint32_t>(bytes.data() + at);
    at += kNumberBytes;
    const size_t had =
        count == remote::kWhateverIsThere ? 0 : size_t{count} * sizeof(Digest::bytes);
    if (had > bytes.size() - at) break;
    at += had;
    if (bytes.size() - at < kNumberBytes + storage::kPreludeBytes) break;
    const auto size = LoadLittle<uint32_t>(bytes.data() + at);
    at += kNumberBytes;
    const auto header = LoadLittle<uint32_t>(bytes.data() + at + 12);
    const size_t left = bytes.size() - at;
    if (size > left || header > left || storage::HeadBytes(header) > left) break;
    const size_t hashed = storage::kPreludeBytes + header;
    const Digest digest = HashOf(ByteSpan(bytes).subspan(at, hashed));
    std::memcpy(bytes.data() + at + hashed, digest.bytes.data(), digest.bytes.size());
    at += size;
  }
  return bytes;
}

void Read(ByteSpan input) {
  for (const IncomingVersion& entry : ParsePublication(WithHeadHashes(input), 0)) {
    Promise(entry.manifest.manifest.references.size() == 1);
    storage::CheckName(entry.reference().name);
    storage::CheckTag(entry.reference().tag);
  }
}

}  // namespace
}  // namespace statelib::cli

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return statelib::ReadHostile(data, size, statelib::cli::Read);
}
