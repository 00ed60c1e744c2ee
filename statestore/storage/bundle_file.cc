// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <map>
#include <set>

#include "core/base/error.h"
#include "statestore/storage/bundle.h"
#include "statestore/storage/container.h"
#include "statestore/storage/state_object.h"
#include "statestore/storage/tokens_object.h"

namespace statelib::storage {

namespace {

constexpr size_t kBlockBytes = 1u << 20;

/// Checks what the parts of a manifest say of each other; nothing here reads an object.
void CheckManifest(const BundleManifest& manifest, const std::string& where) {
  std::set<ObjectId> objects;
  for (const BundleManifest::Object& object : manifest.objects) {
    if (!objects.insert(object.id).second)
      Throw(ErrorKind::kCorrupt, "{}: the object {} twice", where, object.id.ShortHex());
  }
  std::set<Digest> models;
  for (const BundleManifest::Model& model : manifest.models) {
    if (!models.insert(model.identity.fingerprint).second)
      Throw(ErrorKind::kCorrupt, "{}: the model {} twice", where, model.name);
  }
  std::set<std::pair<std::string, std::string>> names;
  for (const BundleManifest::Reference& reference : manifest.references) {
    try {
      CheckName(reference.name);
      CheckTag(reference.tag);
    } catch (const Error& error) {
      Throw(ErrorKind::kCorrupt, "{}: {}", where, error.what());
    }
    if (!names.emplace(reference.name, reference.tag).second) {
      Throw(ErrorKind::kCorrupt, "{}: the name {}:{} twice", where, reference.name, reference.tag);
    }
    if (!objects.contains(reference.state) ||
        manifest.derivations[reference.derivation].state != reference.state) {
      Throw(ErrorKind::kCorrupt, "{}: {}:{} names the state {}, which the bundle does not hold",
            where, reference.name, reference.tag, reference.state.ShortHex());
    }
  }
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

  bundle.head_ = bundle.ReadAt(0, std::min<uint64_t>(kPreludeBytes, bundle.file_bytes_));
  const size_t head_bytes = HeadBytes(HeaderBytesOf(kBundleFile, bundle.head_, bundle.where_));
  bundle.head_ = bundle.ReadAt(0, std::min<uint64_t>(head_bytes, bundle.file_bytes_));
  const ByteSpan manifest = CheckedHeader(kBundleFile, bundle.head_, bundle.where_);
  bundle.manifest_ = ParseManifest(manifest, bundle.where_);
  CheckManifest(bundle.manifest_, bundle.where_);

  uint64_t offset = head_bytes;
  for (const BundleManifest::Object& object : bundle.manifest_.objects) {
    bundle.offsets_.push_back(offset);
    if (object.size_bytes > bundle.file_bytes_ - offset) {
      Throw(ErrorKind::kCorrupt, "{}: cut short: an object ends at byte {}, the file at byte {}",
            bundle.where_, offset + object.size_bytes, bundle.file_bytes_);
    }
    offset += object.size_bytes;
  }
  bundle.offsets_.push_back(offset);
  const uint64_t expected = offset + sizeof(Digest::bytes);
  if (bundle.file_bytes_ != expected) {
    Throw(ErrorKind::kCorrupt, "{}: expected {} bytes, found {}", bundle.where_, expected,
          bundle.file_bytes_);
  }
  return bundle;
}

Bytes BundleFile::ReadAt(uint64_t offset, uint64_t size) {
  Bytes bytes(size);
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
  const BundleManifest::Object& object = manifest_.objects[i];
  Bytes bytes = ReadAt(offsets_[i], object.size_bytes);
  const Digest found = HashOf(bytes);
  if (found != object.id) {
    Throw(ErrorKind::kCorrupt, "{}: damaged object at byte {}: expected hash {}, found {}", where_,
          offsets_[i], object.id.ShortHex(), found.ShortHex());
  }
  return {object.id, std::move(bytes)};
}

/// The checks of every object, in file order.
class BundleVerifier {
 public:
  BundleVerifier(BundleFile& bundle, const std::string& where) : bundle_(bundle), where_(where) {
    for (size_t i = 0; i < bundle.manifest().objects.size(); ++i)
      places_[bundle.manifest().objects[i].id] = i;
    for (const BundleManifest::Model& model : bundle.manifest().models)
      models_.insert(model.identity.fingerprint);
  }

  void Check(const EncodedObject& object) {
    const std::string where = fmt::format("{}: object {}", where_, object.id.ShortHex());
    const ByteSpan header = CheckedHeader(kObjectFile, object.bytes, where);
    if (std::holds_alternative<TokensHeader>(ParseHeader(header, where))) {
      DecodeTokens(object.bytes, where);
      return;
    }
    const StateHeader state = VerifyState(object.bytes, where);
    states_.insert(object.id);
    if (!models_.contains(state.description.model.fingerprint))
      Throw(ErrorKind::kCorrupt, "{}: its model is not described in the bundle", where);
    if (state.description.tokens_kept) CheckHistory(state.description, where);
  }

  void Finish() const {
    for (const BundleManifest::Reference& reference : bundle_.manifest().references) {
      if (!states_.contains(reference.state)) {
        Throw(ErrorKind::kCorrupt, "{}: {}:{} names an object that is no state", where_,
              reference.name, reference.tag);
      }
    }
  }

 private:
  void CheckHistory(const StateDescription& description, const std::string& where) {
    History history;
    for (const TokenChunk& chunk : description.chunks) {
      const auto place = places_.find(chunk.id);
      if (place == places_.end()) {
        Throw(ErrorKind::kCorrupt, "{}: its tokens {} are not in the bundle", where,
              chunk.id.ShortHex());
      }
      const auto tokens = DecodeTokens(bundle_.ReadObject(place->second).bytes, where);
      if (tokens.size() != chunk.token_count)
        Throw(ErrorKind::kCorrupt, "{}: its tokens are not as many as it says", where);
      history.Append(tokens);
    }
    if (history != description.history)
      Throw(ErrorKind::kCorrupt, "{}: its tokens do not make its history", where);
  }

  BundleFile& bundle_;
  const std::string& where_;
  std::map<ObjectId, size_t> places_;
  std::set<Digest> models_;
  std::set<StateId> states_;
};

void BundleFile::Verify(const CancelFlag* cancel) {
  // First the hash over the file: it tells damage from a bundle that was made wrong.
  Hasher hasher;
  for (uint64_t done = 0; done < offsets_.back();) {
    if (cancel != nullptr) cancel->Check();
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
  BundleVerifier verifier(*this, where_);
  for (size_t i = 0; i < manifest_.objects.size(); ++i) {
    if (cancel != nullptr) cancel->Check();
    verifier.Check(ReadObject(i));
  }
  verifier.Finish();
}

}  // namespace statelib::storage
