// SPDX-License-Identifier: Apache-2.0
// A bundle whose hashes are made right, so that its objects are read whatever the fuzzer does to
// them; one that is sound is imported into an empty library.
#include <map>

#include "statestore/storage/bundle.h"
#include "statestore/storage/maintenance.h"
#include "tests/fuzz/fuzz_files.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/head_hash.h"

namespace statelib::storage {
namespace {

/// Calls every object by the hash of its bytes, wherever the manifest speaks of it.
void NameObjectsAnew(ByteSpan objects, BundleManifest* manifest) {
  std::map<ObjectId, ObjectId> names;
  uint64_t at = 0;
  for (BundleManifest::Object& object : manifest->objects) {
    if (object.size_bytes > objects.size() - at) break;
    const ObjectId name = HashOf(objects.subspan(at, object.size_bytes));
    at += object.size_bytes;
    names[object.id] = name;
    object.id = name;
  }
  const auto rename = [&](ObjectId* id) {
    if (const auto place = names.find(*id); place != names.end()) *id = place->second;
  };
  for (BundleManifest::Reference& reference : manifest->references) rename(&reference.state);
  for (Derivation& derivation : manifest->derivations) {
    rename(&derivation.state);
    if (derivation.parent_state) rename(&*derivation.parent_state);
  }
}

Bytes WithHashes(ByteSpan file) {
  Bytes bytes = WithHeadHash(file);
  if (bytes.size() < sizeof(Digest::bytes)) return bytes;
  bytes.resize(bytes.size() - sizeof(Digest::bytes));
  try {
    const uint64_t size = ManifestBytes(bytes, "it");
    if (size <= bytes.size()) {
      BundleManifest manifest = DecodeManifest(ByteSpan(bytes).first(size), "it").manifest;
      const Bytes objects(bytes.begin() + static_cast<std::ptrdiff_t>(size), bytes.end());
      NameObjectsAnew(objects, &manifest);
      bytes = EncodeManifest(manifest, nullptr);
      bytes.insert(bytes.end(), objects.begin(), objects.end());
    }
  } catch (const Error&) {
    // It is read as it is.
  }
  const Digest digest = HashOf(bytes);
  bytes.insert(bytes.end(), digest.bytes.begin(), digest.bytes.end());
  return bytes;
}

void Read(ByteSpan file) {
  static const MemoryFolder folder("fuzz-bundle");
  static const Repository empty =
      Repository::Open(folder.path() / "empty", Repository::Access::kCreate);
  BundleFile bundle = BundleFile::Open(folder.Write("bundle", WithHashes(file)));
  Admission admission(empty);
  bundle.Verify(admission);
  std::filesystem::remove_all(folder.path() / "library");
  Repository repository = Repository::Open(folder.path() / "library", Repository::Access::kCreate);
  const ImportReport report = ImportBundle(repository, bundle, "it", {}, 1000);
  Promise(report.references.size() == bundle.manifest().references.size());
  Promise(Verify(repository).problems.empty());
}

}  // namespace
}  // namespace statelib::storage

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return statelib::ReadHostile(data, size, statelib::storage::Read);
}
