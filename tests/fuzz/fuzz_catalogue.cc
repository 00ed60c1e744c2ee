// SPDX-License-Identifier: Apache-2.0
#include "statestore/remote/remote.h"
#include "statestore/storage/reference.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/head_hash.h"

namespace statelib::remote {
namespace {

void Read(ByteSpan file) {
  const Bytes bytes = storage::WithHeadHash(file);
  const std::vector<RemoteVersion> versions = DecodeCatalogue(bytes, "it");
  for (const RemoteVersion& version : versions) {
    storage::CheckName(version.name);
    storage::CheckTag(version.tag);
    Promise(NewestOf(versions, version.name, version.tag)->number >= version.number);
  }
  Promise(DecodeCatalogue(EncodeCatalogue(versions), "again").size() == versions.size());
}

}  // namespace
}  // namespace statelib::remote

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return statelib::ReadHostile(data, size, statelib::remote::Read);
}
