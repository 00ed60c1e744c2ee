// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/base/error.h"
#include "statestore/storage/bundle.h"

namespace statelib::storage {

namespace {

/// How many bytes a bundle of this manifest has. Errors: kCorrupt where no file has so many.
uint64_t BundleBytes(uint64_t manifest_bytes, const BundleManifest& manifest,
                     const std::string& location) {
  uint64_t bytes = manifest_bytes + sizeof(Digest::bytes);
  for (const BundleManifest::Object& object : manifest.objects) {
    if (object.size_bytes > static_cast<uint64_t>(INT64_MAX) - bytes)
      Throw(ErrorKind::kCorrupt, "{}: objects of more bytes than any file has", location);
    bytes += object.size_bytes;
  }
  return bytes;
}

}  // namespace

BundleFile BundleFile::Open(const std::filesystem::path& path) {
  BundleFile bundle;
  bundle.location_ = path.string();
  bundle.file_ = std::make_unique<FileSource>(FileSource::Open(path));
  bundle.ReadManifest();
  return bundle;
}

BundleFile BundleFile::Open(std::unique_ptr<ByteSpool> spool, const std::string& location) {
  BundleFile bundle;
  bundle.location_ = location;
  bundle.file_ = std::move(spool);
  bundle.ReadManifest();
  return bundle;
}

void BundleSpool::Append(ByteSpan bytes) {
  spool_->Append(bytes);
  if (!end_) {
    manifest_.insert(manifest_.end(), bytes.begin(), bytes.end());
    ReadEnd();
  }
  if (end_ && spool_->size() > *end_)
    Throw(ErrorKind::kCorrupt, "{}: expected {} bytes, found more", location_, *end_);
}

void BundleSpool::ReadEnd() {
  uint64_t wanted = ManifestBytes({}, location_);
  for (uint64_t known = 0; known < wanted && wanted <= manifest_.size();) {
    known = wanted;
    wanted = ManifestBytes(ByteSpan(manifest_).first(known), location_);
  }
  if (wanted > manifest_.size()) return;
  const SignedManifest read = DecodeManifest(ByteSpan(manifest_).first(wanted), location_);
  end_ = BundleBytes(wanted, read.manifest, location_);
  manifest_ = {};
}

BundleFile BundleSpool::Finish() && { return BundleFile::Open(std::move(spool_), location_); }

void BundleFile::ReadManifest() {
  Bytes buffer;
  ByteSpan bytes;
  for (uint64_t wanted = ManifestBytes(bytes, location_); bytes.size() < wanted;
       wanted = ManifestBytes(bytes, location_)) {
    if (file_bytes() < wanted && bytes.size() == file_bytes()) break;  // DecodeManifest says so
    bytes = file_->View(0, std::min(wanted, file_bytes()), &buffer);
  }
  signed_ = DecodeManifest(bytes, location_);

  uint64_t offset = bytes.size();
  for (const BundleManifest::Object& object : signed_.manifest.objects) {
    offsets_.push_back(offset);
    if (object.size_bytes > file_bytes() - offset) {
      Throw(ErrorKind::kCorrupt, "{}: cut short: an object ends at byte {}, the file at byte {}",
            location_, offset + object.size_bytes, file_bytes());
    }
    offset += object.size_bytes;
  }
  offsets_.push_back(offset);
  const uint64_t expected = offset + sizeof(Digest::bytes);
  if (file_bytes() != expected) {
    Throw(ErrorKind::kCorrupt, "{}: expected {} bytes, found {}", location_, expected,
          file_bytes());
  }
}

std::optional<PublicKey> BundleFile::signer() const {
  if (!signed_.signature) return std::nullopt;
  return signed_.signature->signer;
}

std::unique_ptr<const ByteSource> BundleFile::OpenObject(size_t i) {
  return std::make_unique<SourcePart>(*file_, offsets_[i], signed_.manifest.objects[i].size_bytes);
}

void BundleFile::Verify(Admission& admission, const TransferControl& control) {
  // First the hash over the file: it tells damage from a bundle that was made wrong.
  Hasher hasher;
  SourcePart(*file_, 0, offsets_.back()).ForEachBlock([&](ByteSpan block) {
    control.Check();
    hasher.Update(block);
  });
  Digest expected;
  file_->Read(offsets_.back(), expected.bytes);
  const Digest found = hasher.Finish();
  if (found != expected) {
    Throw(ErrorKind::kCorrupt,
          "{}: damaged bundle: expected hash {}, found {}; nothing was imported, fetch it again",
          location_, expected.ShortHex(), found.ShortHex());
  }
  digest_ = found;
  VerifyObjects(*this, admission, control);
}

ImportReport ImportBundle(Repository& repository, BundleFile& bundle,
                          const std::string& source_name, const ImportOptions& options,
                          int64_t now_ms) {
  Admission admission(repository, options.max_state_bytes);
  bundle.Verify(admission, options.control);
  const SourceRecord origin{source_name, bundle.file_bytes(), bundle.digest(), 0, now_ms};
  return ImportObjects(repository, bundle, origin, options, now_ms);
}

}  // namespace statelib::storage
