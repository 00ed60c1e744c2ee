// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "statestore/storage/bundle.h"

namespace statelib::storage {

namespace {

/// Appends to a file and to the hash over it.
class HashedFile {
 public:
  HashedFile(FileSystem& files, const std::filesystem::path& path) : file_(files, path) {}

  void Append(ByteSpan bytes) {
    file_.Append(bytes);
    hasher_.Update(bytes);
    size_ += bytes.size();
  }

  uint64_t Finish() {
    const Digest digest = hasher_.Finish();
    file_.Append(digest.bytes);
    file_.Commit();
    return size_ + digest.bytes.size();
  }

 private:
  AtomicFile file_;
  Hasher hasher_;
  uint64_t size_ = 0;
};

uint64_t WriteFile(const OutgoingManifest& outgoing, FileSystem& files,
                   const std::filesystem::path& path, const ExportOptions& options) {
  const Bytes manifest = EncodeManifest(outgoing.manifest(), options.key);
  const std::vector<BundleManifest::Object>& objects = outgoing.manifest().objects;
  uint64_t total = 0;
  for (const BundleManifest::Object& object : objects) total += object.size_bytes;
  HashedFile file(files, path);
  file.Append(manifest);
  uint64_t done = 0;
  for (size_t i = 0; i < objects.size(); ++i) {
    options.control.Check();
    outgoing.OpenObject(i)->ForEachBlock([&](ByteSpan block) { file.Append(block); });
    options.control.Report(done += objects[i].size_bytes, total);
  }
  return file.Finish();
}

}  // namespace

ExportReport ExportBundle(const Repository& repository, std::span<const ResolvedState> states,
                          FileSystem& files, const std::filesystem::path& path,
                          const ExportOptions& options) {
  if (states.empty()) Throw(ErrorKind::kInvalidArgument, "there is nothing to export");
  const Lease lease = repository.ReadLease();
  const OutgoingManifest outgoing = OutgoingManifest::Build(repository, states, options.manifest);
  ExportReport report;
  report.objects = outgoing.manifest().objects.size();
  std::set<StateId> distinct;
  for (const BundleManifest::Reference& reference : outgoing.manifest().references)
    distinct.insert(reference.state);
  report.states = distinct.size();
  report.file_bytes = WriteFile(outgoing, files, path, options);
  return report;
}

}  // namespace statelib::storage
