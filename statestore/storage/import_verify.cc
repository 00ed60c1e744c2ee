// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <set>

#include "core/base/error.h"
#include "statestore/storage/file_head.h"
#include "statestore/storage/import.h"
#include "statestore/storage/state_object.h"
#include "statestore/storage/tokens_object.h"

namespace statelib::storage {

namespace {

/// The checks of every object, in the manifest's order.
class ImportVerifier {
 public:
  ImportVerifier(ImportSource& source, Admission& admission)
      : source_(source), admission_(admission), location_(source.location()) {
    for (size_t i = 0; i < source.manifest().objects.size(); ++i)
      places_[source.manifest().objects[i].id] = i;
    for (const BundleManifest::Model& model : source.manifest().models)
      models_.insert(model.identity.fingerprint);
  }

  void Check(size_t i) {
    const ObjectId& id = source_.manifest().objects[i].id;
    const std::string location = fmt::format("{}: object {}", location_, id.ShortHex());
    const auto object = OpenChecked(i);
    Bytes buffer;
    const ByteSpan head = ReadHead(kObjectFile, *object, location, &buffer);
    const ObjectHeader parsed = ParseHeader(CheckedHeader(kObjectFile, head, location), location);
    if (std::holds_alternative<TokensHeader>(parsed)) {
      DecodeTokens(*object, location);
      return;
    }
    admission_.Check(std::get<StateHeader>(parsed).description, location);
    const StateHeader state =
        VerifyState(*object, location, [this](const ObjectId& base) { return Open(base); });
    states_.insert(id);
    if (!models_.contains(state.description.model.fingerprint))
      Throw(ErrorKind::kCorrupt, "{}: its model is not described in the bundle", location);
    if (state.description.tokens_kept) CheckHistory(state.description, location);
  }

  void Finish() const {
    for (const BundleManifest::Reference& reference : source_.manifest().references) {
      if (!states_.contains(reference.state)) {
        Throw(ErrorKind::kCorrupt, "{}: {}:{} names an object that is no state", location_,
              reference.name, reference.tag);
      }
    }
  }

 private:
  std::unique_ptr<const ByteSource> OpenChecked(size_t i) const {
    const BundleManifest::Object& expected = source_.manifest().objects[i];
    auto object = source_.OpenObject(i);
    const Digest found = HashOf(*object);
    if (found == expected.id && object->size() == expected.size_bytes) return object;
    Throw(ErrorKind::kCorrupt,
          "{}: damaged object: expected hash {} over {} bytes, found {} over {}", location_,
          expected.id.ShortHex(), expected.size_bytes, found.ShortHex(), object->size());
  }

  /// An object of the manifest. Errors: kNotFound for any other.
  std::unique_ptr<const ByteSource> Open(const ObjectId& id) const {
    const auto place = places_.find(id);
    if (place == places_.end())
      Throw(ErrorKind::kNotFound, "{}: there is no object {}", location_, id.ShortHex());
    return OpenChecked(place->second);
  }

  void CheckHistory(const StateDescription& description, const std::string& location) {
    History history;
    for (const TokenChunk& chunk : description.chunks) {
      const auto place = places_.find(chunk.id);
      if (place == places_.end()) {
        Throw(ErrorKind::kCorrupt, "{}: its tokens {} are not in the bundle", location,
              chunk.id.ShortHex());
      }
      const auto tokens = DecodeTokens(*OpenChecked(place->second), location);
      if (tokens.size() != chunk.token_count)
        Throw(ErrorKind::kCorrupt, "{}: its tokens are not as many as it says", location);
      history.Append(tokens);
    }
    if (history != description.history)
      Throw(ErrorKind::kCorrupt, "{}: its tokens do not make its history", location);
  }

  ImportSource& source_;
  Admission& admission_;
  const std::string& location_;
  std::map<ObjectId, size_t> places_;
  std::set<Digest> models_;
  std::set<StateId> states_;
};

}  // namespace

void VerifyObjects(ImportSource& source, Admission& admission, const TransferControl& control) {
  const std::vector<BundleManifest::Object>& objects = source.manifest().objects;
  uint64_t total = 0;
  for (const BundleManifest::Object& object : objects) total += object.size_bytes;
  ImportVerifier verifier(source, admission);
  uint64_t done = 0;
  for (size_t i = 0; i < objects.size(); ++i) {
    control.Check();
    verifier.Check(i);
    control.Report(done += objects[i].size_bytes, total);
  }
  verifier.Finish();
}

}  // namespace statelib::storage
