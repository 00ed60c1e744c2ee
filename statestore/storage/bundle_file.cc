// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>

#include "core/base/error.h"
#include "statestore/storage/bundle.h"

namespace statelib::storage {

namespace {

constexpr size_t kBlockBytes = 1u << 20;

/// How many bytes a bundle of this manifest has. Errors: kCorrupt where no file has so many.
uint64_t BundleBytes(uint64_t manifest_bytes, const BundleManifest& manifest,
                     const std::string& where) {
  uint64_t bytes = manifest_bytes + sizeof(Digest::bytes);
  for (const BundleManifest::Object& object : manifest.objects) {
    if (object.size_bytes > static_cast<uint64_t>(INT64_MAX) - bytes)
      Throw(ErrorKind::kCorrupt, "{}: objects of more bytes than any file has", where);
    bytes += object.size_bytes;
  }
  return bytes;
}

}  // namespace

BundleFile BundleFile::Open(const std::filesystem::path& path) {
  BundleFile bundle;
  bundle.where_ = path.string();
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    if (error) ThrowErrno("cannot open", path.string(), error.value());
    const int reason = std::filesystem::exists(path, error) ? EISDIR : ENOENT;
    ThrowErrno("cannot open", path.string(), reason);
  }
  bundle.file_.open(path, std::ios::binary);
  if (!bundle.file_) ThrowErrno("cannot open", path.string(), errno);
  bundle.file_bytes_ = std::filesystem::file_size(path, error);
  bundle.ReadManifest();
  return bundle;
}

BundleFile BundleFile::Open(std::unique_ptr<ByteSpool> spool, const std::string& where) {
  BundleFile bundle;
  bundle.where_ = where;
  bundle.file_bytes_ = spool->size();
  bundle.spool_ = std::move(spool);
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
    Throw(ErrorKind::kCorrupt, "{}: expected {} bytes, found more", where_, *end_);
}

void BundleSpool::ReadEnd() {
  uint64_t wanted = ManifestBytes({}, where_);
  for (uint64_t known = 0; known < wanted && wanted <= manifest_.size();) {
    known = wanted;
    wanted = ManifestBytes(ByteSpan(manifest_).first(known), where_);
  }
  if (wanted > manifest_.size()) return;
  const SignedManifest read = DecodeManifest(ByteSpan(manifest_).first(wanted), where_);
  end_ = BundleBytes(wanted, read.manifest, where_);
  manifest_ = {};
}

BundleFile BundleSpool::Finish() && { return BundleFile::Open(std::move(spool_), where_); }

void BundleFile::ReadManifest() {
  Bytes bytes;
  for (uint64_t wanted = ManifestBytes(bytes, where_); bytes.size() < wanted;
       wanted = ManifestBytes(bytes, where_)) {
    if (file_bytes_ < wanted && bytes.size() == file_bytes_) break;  // DecodeManifest says so
    bytes = ReadAt(0, std::min(wanted, file_bytes_));
  }
  signed_ = DecodeManifest(bytes, where_);

  uint64_t offset = bytes.size();
  for (const BundleManifest::Object& object : signed_.manifest.objects) {
    offsets_.push_back(offset);
    if (object.size_bytes > file_bytes_ - offset) {
      Throw(ErrorKind::kCorrupt, "{}: cut short: an object ends at byte {}, the file at byte {}",
            where_, offset + object.size_bytes, file_bytes_);
    }
    offset += object.size_bytes;
  }
  offsets_.push_back(offset);
  const uint64_t expected = offset + sizeof(Digest::bytes);
  if (file_bytes_ != expected) {
    Throw(ErrorKind::kCorrupt, "{}: expected {} bytes, found {}", where_, expected, file_bytes_);
  }
}

std::optional<PublicKey> BundleFile::signer() const {
  if (!signed_.signature) return std::nullopt;
  return signed_.signature->signer;
}

Bytes BundleFile::ReadAt(uint64_t offset, uint64_t size) {
  Bytes bytes(size);
  if (spool_) {
    spool_->Read(offset, bytes);
    return bytes;
  }
  file_.clear();
  file_.seekg(static_cast<std::streamoff>(offset));
  file_.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (static_cast<uint64_t>(file_.gcount()) != size) {
    Throw(ErrorKind::kIo, "{}: cannot read {} bytes at {}: the file has changed or its disk fails",
          where_, size, offset);
  }
  return bytes;
}

EncodedObject BundleFile::ReadObject(size_t i) {
  const BundleManifest::Object& object = signed_.manifest.objects[i];
  Bytes bytes = ReadAt(offsets_[i], object.size_bytes);
  const Digest found = HashOf(bytes);
  if (found != object.id) {
    Throw(ErrorKind::kCorrupt, "{}: damaged object at byte {}: expected hash {}, found {}", where_,
          offsets_[i], object.id.ShortHex(), found.ShortHex());
  }
  return {object.id, std::move(bytes)};
}

void BundleFile::Verify(Admission& admission, const TransferControl& control) {
  // First the hash over the file: it tells damage from a bundle that was made wrong.
  Hasher hasher;
  for (uint64_t done = 0; done < offsets_.back();) {
    control.Check();
    const Bytes block = ReadAt(done, std::min<uint64_t>(kBlockBytes, offsets_.back() - done));
    hasher.Update(block);
    done += block.size();
  }
  const Digest expected = *Digest::FromBytes(ReadAt(offsets_.back(), sizeof(Digest::bytes)));
  const Digest found = hasher.Finish();
  if (found != expected) {
    Throw(ErrorKind::kCorrupt,
          "{}: damaged bundle: expected hash {}, found {}; nothing was imported, fetch it again",
          where_, expected.ShortHex(), found.ShortHex());
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
