// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/manifest.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "core/base/error.h"
#include "statestore/storage/file_head.h"

namespace statelib::storage {

namespace {

constexpr size_t kCountBytes = 4;
constexpr size_t kSignatureBytes = sizeof(PublicKey::bytes) + sizeof(Signature::bytes);

/// What a signature is over: a text that no other signature of statelib begins with, and the hash.
Bytes SignedMessage(const Digest& id) {
  const ByteSpan domain = AsBytes("statelib manifest 2");
  Bytes message(domain.begin(), domain.end());
  message.insert(message.end(), id.bytes.begin(), id.bytes.end());
  return message;
}

bool HasPrompts(const BundleManifest& manifest) {
  return std::any_of(manifest.models.begin(), manifest.models.end(),
                     [](const BundleManifest::Model& model) { return !model.prompt.empty(); });
}

/// Checks what the parts of a manifest say of each other; nothing here reads an object.
void CheckManifest(const BundleManifest& manifest, uint32_t format, const std::string& location) {
  std::set<ObjectId> objects;
  for (const BundleManifest::Object& object : manifest.objects) {
    if (!objects.insert(object.id).second)
      Throw(ErrorKind::kCorrupt, "{}: the object {} twice", location, object.id.ShortHex());
  }
  if (HasPrompts(manifest) != (format == kPromptBundleVersion))
    Throw(ErrorKind::kCorrupt, "{}: prompt forms in format {}, or none in one with them", location,
          format);
  std::set<Digest> models;
  for (const BundleManifest::Model& model : manifest.models) {
    if (!models.insert(model.identity.fingerprint).second)
      Throw(ErrorKind::kCorrupt, "{}: the model {} twice", location, model.name);
  }
  std::tuple<std::string, std::string, uint64_t> before;
  for (const BundleManifest::Reference& reference : manifest.references) {
    try {
      CheckName(reference.name);
      CheckTag(reference.tag);
    } catch (const Error& error) {
      Throw(ErrorKind::kCorrupt, "{}: {}", location, error.what());
    }
    if ((reference.version > 0) != (format > 1))
      Throw(ErrorKind::kCorrupt, "{}: a version in format {}", location, format);
    std::tuple place(reference.name, reference.tag, reference.version);
    if (place <= before) {
      Throw(ErrorKind::kCorrupt, "{}: the name {}:{} twice or out of order", location,
            reference.name, reference.tag);
    }
    before = std::move(place);
    if (!objects.contains(reference.state) ||
        manifest.derivations[reference.derivation].state != reference.state) {
      Throw(ErrorKind::kCorrupt, "{}: {}:{} names the state {}, which the bundle does not hold",
            location, reference.name, reference.tag, reference.state.ShortHex());
    }
  }
}

}  // namespace

Bytes EncodeManifest(const BundleManifest& manifest, const SigningKey* key) {
  const std::string message = SerializeManifest(manifest);
  if (message.size() > kManifestBytesMax) {
    Throw(ErrorKind::kInvalidArgument, "{} states are too many for one bundle; take fewer at once",
          manifest.references.size());
  }
  const uint32_t version = HasPrompts(manifest) ? kPromptBundleVersion : kNumberedBundleVersion;
  Bytes bytes = MakeHead(kBundleFile, version, AsBytes(message));
  const Digest id = *Digest::FromBytes(ByteSpan(bytes).last(sizeof(Digest::bytes)));
  bytes.resize(bytes.size() + kCountBytes);
  StoreLittle<uint32_t>(key == nullptr ? 0 : 1, bytes.data() + bytes.size() - kCountBytes);
  if (key != nullptr) {
    const Signature signature = key->Sign(SignedMessage(id));
    bytes.insert(bytes.end(), signature.signer.bytes.begin(), signature.signer.bytes.end());
    bytes.insert(bytes.end(), signature.bytes.begin(), signature.bytes.end());
  }
  return bytes;
}

uint64_t ManifestBytes(ByteSpan first_bytes, const std::string& location) {
  if (first_bytes.empty()) return kPreludeBytes;
  const uint64_t head = HeadBytes(HeaderBytesOf(kBundleFile, first_bytes, location));
  if (VersionOf(first_bytes) == 1) return head;
  if (first_bytes.size() < head + kCountBytes) return head + kCountBytes;
  const auto signatures = LoadLittle<uint32_t>(first_bytes.data() + head);
  if (signatures > 1) {
    Throw(ErrorKind::kCorrupt, "{}: {} signatures, expected at most one", location, signatures);
  }
  return head + kCountBytes + signatures * kSignatureBytes;
}

SignedManifest DecodeManifest(ByteSpan bytes, const std::string& location) {
  const ByteSpan header = CheckedHeader(kBundleFile, bytes, location);
  const uint64_t expected = ManifestBytes(bytes, location);
  if (bytes.size() != expected) {
    Throw(ErrorKind::kCorrupt, "{}: cut short: expected {} bytes up to its signature, found {}",
          location, expected, bytes.size());
  }
  SignedManifest result;
  result.manifest = ParseManifest(header, location);
  CheckManifest(result.manifest, VersionOf(bytes), location);
  const size_t head = HeadBytes(header.size());
  result.id =
      *Digest::FromBytes(bytes.subspan(head - sizeof(Digest::bytes), sizeof(Digest::bytes)));
  if (bytes.size() < head + kCountBytes + kSignatureBytes) return result;
  const ByteSpan raw = bytes.subspan(head + kCountBytes);
  Signature signature;
  std::copy_n(raw.begin(), signature.signer.bytes.size(), signature.signer.bytes.begin());
  std::copy_n(raw.begin() + static_cast<std::ptrdiff_t>(signature.signer.bytes.size()),
              signature.bytes.size(), signature.bytes.begin());
  if (!signature.Verifies(SignedMessage(result.id))) {
    Throw(ErrorKind::kCorrupt,
          "{}: its signature is not one of the key {} over this manifest; do not use it, fetch it "
          "again",
          location, signature.signer.ShortText());
  }
  result.signature = signature;
  return result;
}

}  // namespace statelib::storage
