// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_STATESTORE_STORAGE_BUNDLES_H_
#define STATELIB_TESTS_STATESTORE_STORAGE_BUNDLES_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "statestore/storage/bundle.h"
#include "statestore/storage/file_head.h"
#include "tests/statestore/sample_library.h"
#include "tests/temporary_directory.h"

namespace statelib::storage {

/// A library that states are exported from, one that they are imported into, and the file between.
class Bundles : public testing::Test {
 protected:
  ExportReport Export(const std::vector<std::string>& names, FileSystem& files = FileSystem::Real(),
                      const ExportOptions& options = {}) {
    std::vector<ResolvedState> states;
    for (const std::string& name : names) states.push_back(from_.Resolve(name));
    return ExportBundle(from_, states, files, file_, options);
  }
  ExportReport ExportWith(const std::vector<std::string>& names, const ManifestOptions& manifest,
                          const SigningKey* key = nullptr) {
    return Export(names, FileSystem::Real(), {manifest, key, {}});
  }
  ImportReport Import(Repository& into, const ImportOptions& options = {}) {
    BundleFile bundle = BundleFile::Open(file_);
    return ImportBundle(into, bundle, "bundle.slb", options, 9000);
  }
  Bytes Read() { return FileSystem::Real().ReadFile(file_, 1 << 24); }
  void Write(ByteSpan bytes) {
    std::ofstream(file_, std::ios::binary | std::ios::trunc) << AsText(bytes);
  }
  /// Where the objects of an unsigned bundle begin.
  static std::ptrdiff_t ObjectsAt(const Bytes& bundle) {
    return static_cast<std::ptrdiff_t>(HeadBytes(LoadLittle<uint32_t>(bundle.data() + 12)) + 4);
  }
  /// A bundle of a manifest and the bytes of its objects, every hash in order.
  static Bytes Assemble(Bytes manifest, ByteSpan objects) {
    manifest.insert(manifest.end(), objects.begin(), objects.end());
    const Digest digest = HashOf(manifest);
    manifest.insert(manifest.end(), digest.bytes.begin(), digest.bytes.end());
    return manifest;
  }
  /// The bundle's bytes with another manifest.
  Bytes WithManifest(const BundleManifest& manifest) {
    const Bytes old = Read();
    return Assemble(EncodeManifest(manifest, nullptr),
                    ByteSpan(old.begin() + ObjectsAt(old), old.end() - 32));
  }
  bool IsEmptyLibrary(const Repository& repository) {
    size_t objects = 0;
    repository.objects().ForEach([&](const ObjectId&, uint64_t) { ++objects; });
    return objects == 0 && repository.index().states().count() == 0 &&
           repository.index().references().List({}).empty() &&
           repository.index().models().All().empty();
  }

  TemporaryDirectory folder_;
  std::filesystem::path file_ = folder_.path() / "states.slb";
  Repository from_ = Repository::Open(folder_.path() / "from", Repository::Access::kCreate);
  Repository into_ = Repository::Open(folder_.path() / "into", Repository::Access::kCreate);
};

}  // namespace statelib::storage

#endif  // STATELIB_TESTS_STATESTORE_STORAGE_BUNDLES_H_
