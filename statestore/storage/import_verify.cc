// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <set>

#include "core/base/error.h"
#include "statestore/storage/container.h"
#include "statestore/storage/import.h"
#include "statestore/storage/state_object.h"
#include "statestore/storage/tokens_object.h"

namespace statelib::storage {

namespace {

/// The checks of every object, in the manifest's order.
class ImportVerifier {
 public:
  ImportVerifier(ImportSource& source, Admission& admission)
      : source_(source), admission_(admission), where_(source.where()) {
    for (size_t i = 0; i < source.manifest().objects.size(); ++i)
      places_[source.manifest().objects[i].id] = i;
    for (const BundleManifest::Model& model : source.manifest().models)
      models_.insert(model.identity.fingerprint);
  }

  void Check(const EncodedObject& object) {
    const std::string where = fmt::format("{}: object {}", where_, object.id.ShortHex());
    const ByteSpan header = CheckedHeader(kObjectFile, object.bytes, where);
    const ObjectHeader parsed = ParseHeader(header, where);
    if (std::holds_alternative<TokensHeader>(parsed)) {
      DecodeTokens(object.bytes, where);
      return;
    }
    admission_.Check(std::get<StateHeader>(parsed).description, where);
    const StateHeader state =
        VerifyState(object.bytes, where, [this](const ObjectId& id) { return Read(id); });
    states_.insert(object.id);
    if (!models_.contains(state.description.model.fingerprint))
      Throw(ErrorKind::kCorrupt, "{}: its model is not described in the bundle", where);
    if (state.description.tokens_kept) CheckHistory(state.description, where);
  }

  void Finish() const {
    for (const BundleManifest::Reference& reference : source_.manifest().references) {
      if (!states_.contains(reference.state)) {
        Throw(ErrorKind::kCorrupt, "{}: {}:{} names an object that is no state", where_,
              reference.name, reference.tag);
      }
    }
  }

 private:
  /// An object of the manifest. Errors: kNotFound for any other.
  Bytes Read(const ObjectId& id) const {
    const auto place = places_.find(id);
    if (place == places_.end())
      Throw(ErrorKind::kNotFound, "{}: there is no object {}", where_, id.ShortHex());
    return source_.ReadObject(place->second).bytes;
  }

  void CheckHistory(const StateDescription& description, const std::string& where) {
    History history;
    for (const TokenChunk& chunk : description.chunks) {
      const auto place = places_.find(chunk.id);
      if (place == places_.end()) {
        Throw(ErrorKind::kCorrupt, "{}: its tokens {} are not in the bundle", where,
              chunk.id.ShortHex());
      }
      const auto tokens = DecodeTokens(source_.ReadObject(place->second).bytes, where);
      if (tokens.size() != chunk.token_count)
        Throw(ErrorKind::kCorrupt, "{}: its tokens are not as many as it says", where);
      history.Append(tokens);
    }
    if (history != description.history)
      Throw(ErrorKind::kCorrupt, "{}: its tokens do not make its history", where);
  }

  ImportSource& source_;
  Admission& admission_;
  const std::string& where_;
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
    verifier.Check(source.ReadObject(i));
    control.Report(done += objects[i].size_bytes, total);
  }
  verifier.Finish();
}

}  // namespace statelib::storage
