// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/manifest.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/head_hash.h"

namespace statelib::storage {
namespace {

void Read(ByteSpan file) {
  const Bytes bytes = WithHeadHash(file);
  const SignedManifest read = DecodeManifest(bytes, "it");
  for (const BundleManifest::Reference& reference : read.manifest.references) {
    CheckName(reference.name);
    CheckTag(reference.tag);
    Promise(reference.derivation < read.manifest.derivations.size());
  }
  for (size_t i = 0; i < read.manifest.derivations.size(); ++i) {
    const auto& parent = read.manifest.derivations[i].parent;
    Promise(!parent || (*parent >= 0 && static_cast<size_t>(*parent) < i));
  }
}

}  // namespace
}  // namespace statelib::storage

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return statelib::ReadHostile(data, size, statelib::storage::Read);
}
