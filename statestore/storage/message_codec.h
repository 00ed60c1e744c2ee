// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_MESSAGE_CODEC_H_
#define STATELIB_STATESTORE_STORAGE_MESSAGE_CODEC_H_

#include <string>
#include <variant>
#include <vector>

#include "statestore/storage/records.h"

// The headers of statelib's files as protobuf messages (proto/statelib.proto). The generated code
// is seen by message_codec.cc alone.
//
// Writing is canonical: equal values give equal bytes. Reading takes only canonical bytes: what it
// returns would be written as exactly the bytes it read, so nothing unknown, repeated or reordered
// gets through. Every text is valid UTF-8 without control characters, every digest 32 bytes, every
// shape, count and size within limits.h. Errors of all Parse functions: kCorrupt with `location`
// and the field.
namespace statelib::storage {

/// What a bundle carries beside its objects.
struct BundleManifest {
  struct Model {
    ModelIdentity identity;
    std::string name;        ///< in the exporting library; may be empty
    PromptForm prompt = {};  ///< as it is used there; from bundle format 3 on
    bool operator==(const Model&) const = default;
  };
  struct Object {
    ObjectId id;
    uint64_t size_bytes = 0;
    bool operator==(const Object&) const = default;
  };
  struct Reference {
    std::string name;
    std::string tag;
    StateId state;
    size_t derivation = 0;  ///< index into derivations
    uint64_t version = 0;   ///< where it comes from; 0 in a manifest of bundle format 1
    bool operator==(const Reference&) const = default;
  };

  std::vector<Model> models;            ///< ascending by fingerprint
  std::vector<Object> objects;          ///< in file order: tokens objects before their states
  std::vector<Derivation> derivations;  ///< parents before children; `parent` is an index here
  std::vector<Reference> references;    ///< ascending by name, tag, version
  bool operator==(const BundleManifest&) const = default;
};

/// One version of a name on a remote.
struct RemoteVersion {
  std::string name;
  std::string tag;
  uint64_t number = 0;  ///< from 1; the highest of a name is the current one
  StateId state;
  uint64_t token_count = 0;
  int64_t pushed_at_ms = 0;
  std::optional<Digest> manifest;  ///< hash of its signed manifest's bytes, where that is a file
  uint64_t manifest_bytes = 0;
  bool operator==(const RemoteVersion&) const = default;
};

using ObjectHeader = std::variant<StateHeader, TokensHeader>;

std::string SerializeHeader(const ObjectHeader& header);
ObjectHeader ParseHeader(ByteSpan bytes, const std::string& location);

std::string SerializeManifest(const BundleManifest& manifest);
BundleManifest ParseManifest(ByteSpan bytes, const std::string& location);

/// The versions ascend by name, tag and number, and their names are names.
std::string SerializeCatalogue(const std::vector<RemoteVersion>& versions);
std::vector<RemoteVersion> ParseCatalogue(ByteSpan bytes, const std::string& location);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_MESSAGE_CODEC_H_
