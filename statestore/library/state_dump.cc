// SPDX-License-Identifier: Apache-2.0
#include "statestore/library/state_dump.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "core/model_files/safetensors_writer.h"
#include "statestore/library/load.h"
#include "statestore/library/organise.h"
#include "statestore/storage/finite.h"
#include "statestore/storage/state_object.h"

namespace statelib::library {

namespace {

using model_files::ElementType;
using model_files::SafetensorsMetadata;
using model_files::TensorRef;

constexpr const char* kFormat = "statelib-state";
constexpr const char* kVersion = "1";
constexpr size_t kProfileBytesMax = 256;

ElementType TypeOf(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return ElementType::kF32;
    case DType::kBF16:
      return ElementType::kBF16;
    case DType::kF16:
      return ElementType::kF16;
    case DType::kI32:  // of no segment
      break;
  }
  return ElementType::kF32;
}

/// What the segments are called: layers.N.KIND and KIND, with .I where there are several.
std::vector<std::string> TensorNames(const StateSpec& spec) {
  std::vector<std::string> names;
  std::map<std::string, size_t> count;
  for (const SegmentSpec& segment : spec) {
    const std::string layer = segment.layer < 0 ? "" : fmt::format("layers.{}.", segment.layer);
    names.push_back(layer + NameOf(segment.kind));
    ++count[names.back()];
  }
  std::map<std::string, size_t> place;
  for (std::string& name : names) {
    if (count[name] == 1) continue;
    const size_t i = place[name]++;
    name += fmt::format(".{}", i);
  }
  return names;
}

SafetensorsMetadata MetadataOf(const storage::StateId& id, const storage::StateHeader& header,
                               const std::vector<std::string>& names) {
  const storage::StateDescription& state = header.description;
  SafetensorsMetadata metadata = {{"format", kFormat},
                                  {"version", kVersion},
                                  {"state", id.Hex()},
                                  {"content", header.content.Hex()},
                                  {"model", state.model.fingerprint.Hex()},
                                  {"model_architecture", state.model.architecture},
                                  {"model_summary", state.model.summary},
                                  {"profile", state.profile},
                                  {"tokens", std::to_string(state.history.token_count())},
                                  {"history", state.history.chain().Hex()}};
  for (size_t i = 0; i < names.size(); ++i) metadata["axes." + names[i]] = state.spec[i].axes;
  return metadata;
}

const std::string& Member(const SafetensorsMetadata& metadata, const char* key,
                          const std::string& location) {
  const auto found = metadata.find(key);
  if (found != metadata.end()) return found->second;
  Throw(ErrorKind::kCorrupt,
        "{}: metadata: expected a member \"{}\", found none; dump the state "
        "again, and keep the metadata of the file where its tensors are changed",
        location, key);
}

Digest DigestOf(const SafetensorsMetadata& metadata, const char* key, const std::string& location) {
  const std::string& text = Member(metadata, key, location);
  if (const auto digest = Digest::FromHex(text)) return *digest;
  Throw(ErrorKind::kCorrupt, "{}: metadata \"{}\": expected 64 hexadecimal digits, found {}",
        location, key, Quoted(text));
}

uint64_t CountOf(const SafetensorsMetadata& metadata, const char* key,
                 const std::string& location) {
  const std::string& text = Member(metadata, key, location);
  uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc() && end == text.data() + text.size() && count <= INT64_MAX) return count;
  Throw(ErrorKind::kCorrupt, "{}: metadata \"{}\": expected a whole number, found {}", location,
        key, Quoted(text));
}

/// The tensors' bytes in the order of a spec, whose names, types, shapes and finite numbers they
/// have; `names` as TensorNames.
std::vector<ByteSpan> SegmentsOf(const StateDump& dump, const StateSpec& spec,
                                 const std::vector<std::string>& names) {
  std::vector<ByteSpan> segments;
  for (size_t i = 0; i < spec.size(); ++i) {
    const ElementType type = TypeOf(spec[i].dtype);
    const TensorRef* tensor = dump.tensors.Find(names[i]);
    if (tensor == nullptr)
      Throw(ErrorKind::kMismatch, "{}: expected a tensor \"{}\" ({} [{}]), found none",
            dump.location, names[i], model_files::NameOf(type), fmt::join(spec[i].shape, ", "));
    if (tensor->type != type || tensor->shape != spec[i].shape)
      Throw(ErrorKind::kMismatch, "{}: expected {} [{}]", tensor->Label(),
            model_files::NameOf(type), fmt::join(spec[i].shape, ", "));
    if (!storage::IsFinite(spec[i], tensor->bytes))
      Throw(ErrorKind::kCorrupt, "{}: expected finite numbers, found NaN or infinity",
            tensor->Label());
    segments.push_back(tensor->bytes);
  }
  for (const TensorRef& tensor : dump.tensors.all())
    if (std::find(names.begin(), names.end(), tensor.name) == names.end())
      Throw(ErrorKind::kMismatch, "{}: expected no such tensor: a state of this model has {}",
            tensor.Label(), fmt::join(names, ", "));
  return segments;
}

/// The states of the library that a dump may have been written from, the likeliest first.
std::vector<storage::StateRow> OriginsOf(const Library& library, const StateDump& dump) {
  const storage::IndexStates& states = library.repository().index().states();
  std::vector<storage::StateRow> rows;
  if (const auto row = states.Find(dump.state)) {
    if (row->model != dump.model || row->profile != dump.profile || row->history != dump.history)
      Throw(ErrorKind::kMismatch,
            "{}: metadata: expected model, profile, tokens and history of the state {}, found "
            "others; dump the state again",
            dump.location, dump.state.ShortHex());
    rows.push_back(*row);
  }
  for (const storage::StateRow& row : states.FindByHistory(dump.model, dump.profile, dump.history))
    if (row.id != dump.state) rows.push_back(row);
  return rows;
}

/// How a dump's numbers differ from those of a stored state.
struct Changes {
  storage::StateRow origin;
  uint64_t segments = 0;  ///< that differ
  uint64_t of = 0;        ///< how many there are
  std::string first = {};
};

Changes Compare(const Library& library, const StateDump& dump, const storage::StateRow& row) {
  const storage::Lease lease = library.repository().ReadLease();
  const storage::ObjectStore& objects = library.repository().objects();
  const storage::StateRecord stored =
      storage::DecodeState(objects.Get(row.id), objects.PathOf(row.id).string(),
                           storage::FileHash::kChecked, objects.Getter());
  const StateSpec& spec = stored.description.spec;
  const std::vector<std::string> names = TensorNames(spec);
  const std::vector<ByteSpan> segments = SegmentsOf(dump, spec, names);
  Changes changes{row, 0, spec.size()};
  for (size_t i = 0; i < spec.size(); ++i) {
    if (std::ranges::equal(segments[i], stored.segments[i])) continue;
    if (changes.segments++ == 0) changes.first = names[i];
  }
  return changes;
}

/// The state that the dump was written from, if it is here: one with the same numbers, else the
/// likeliest.
std::optional<Changes> Closest(const Library& library, const StateDump& dump) {
  std::optional<Changes> closest;
  for (const storage::StateRow& row : OriginsOf(library, dump)) {
    Changes changes = Compare(library, dump, row);
    if (!closest || changes.segments == 0) closest = std::move(changes);
    if (closest->segments == 0) break;
  }
  return closest;
}

/// A stored state as one of its names, else as its id.
std::string NameOrId(const Library& library, const storage::StateId& id) {
  const auto names = library.repository().index().references().NamesOf(id);
  return names.empty() ? id.Hex() : names.front();
}

LoadedDump Unchanged(Library& library, const storage::StateId& id,
                     const storage::Reference& reference) {
  return {Copy(library, NameOrId(library, id), reference), false, 0, id};
}

}  // namespace

uint64_t DumpState(const Library& library, const storage::ResolvedState& state,
                   const std::filesystem::path& path) {
  const storage::Lease lease = library.repository().ReadLease();
  const storage::ObjectStore& objects = library.repository().objects();
  const auto file = objects.Open(state.state.id);
  storage::StateReader reader(*file, objects.PathOf(state.state.id).string(),
                              storage::FileHash::kChecked, objects.Opener());
  const StateSpec& spec = reader.header().description.spec;
  const std::vector<std::string> names = TensorNames(spec);
  std::vector<model_files::TensorToWrite> tensors;
  for (size_t i = 0; i < spec.size(); ++i) {
    model_files::TensorToWrite tensor{names[i], TypeOf(spec[i].dtype), spec[i].shape};
    tensor.stream = [&reader, i](const model_files::ByteSink& sink) {
      reader.ForEachPiece(i, sink);
    };
    tensors.push_back(std::move(tensor));
  }
  model_files::WriteSafetensors(library.files(), path, tensors,
                                MetadataOf(state.state.id, reader.header(), names));
  return TotalBytes(spec);
}

StateDump ReadStateDump(ByteSpan file, const std::string& location) {
  model_files::SafetensorsContents contents =
      model_files::ParseSafetensorsContents(file, location, model_files::BlockTypes::kRefused);
  const SafetensorsMetadata& metadata = contents.metadata;
  const auto format = metadata.find("format");
  if (format == metadata.end() || format->second != kFormat)
    Throw(ErrorKind::kInvalidArgument,
          "{}: metadata \"format\": expected \"{}\", found {}; give a file that `statelib state "
          "dump` wrote",
          location, kFormat,
          format == metadata.end() ? std::string("none") : Quoted(format->second));
  if (const std::string& version = Member(metadata, "version", location); version != kVersion)
    Throw(ErrorKind::kUnsupported,
          "{}: a dump of version {}, this statelib reads version {}; use a newer statelib",
          location, Quoted(version), kVersion);
  StateDump dump;
  dump.state = DigestOf(metadata, "state", location);
  dump.model = DigestOf(metadata, "model", location);
  dump.profile = Member(metadata, "profile", location);
  if (dump.profile.empty() || dump.profile.size() > kProfileBytesMax)
    Throw(ErrorKind::kCorrupt, "{}: metadata \"profile\": expected 1 to {} bytes, found {}",
          location, kProfileBytesMax, dump.profile.size());
  dump.history =
      History(CountOf(metadata, "tokens", location), DigestOf(metadata, "history", location));
  dump.tensors = model_files::TensorTable(std::move(contents.tensors), location);
  dump.location = location;
  return dump;
}

LoadedDump LoadDump(Library& library, const StateDump& dump, const storage::Reference& reference) {
  const std::optional<Changes> changes = Closest(library, dump);
  if (!changes)
    Throw(ErrorKind::kNotFound,
          "{}: the library has no state {}, and a file's own word for its history is not taken; "
          "`statelib export` and `import` carry states between libraries, --edited loads the "
          "numbers without a history",
          dump.location, dump.state.ShortHex());
  if (changes->segments > 0)
    Throw(ErrorKind::kMismatch,
          "{}: {} of {} tensors hold other numbers than the state {}, \"{}\" first; --edited loads "
          "them, without a history",
          dump.location, changes->segments, changes->of, changes->origin.id.ShortHex(),
          changes->first);
  return Unchanged(library, changes->origin.id, reference);
}

LoadedDump LoadEditedDump(Library& library, const LoadedModel& model, const StateDump& dump,
                          const storage::Reference& reference) {
  CheckFits(library, model, NeedsOf(dump));
  const StateSpec spec = model.runtime->SpecFor(dump.history.token_count());
  const std::vector<ByteSpan> segments = SegmentsOf(dump, spec, TensorNames(spec));
  const std::optional<Changes> changes = Closest(library, dump);
  if (changes && changes->segments == 0) return Unchanged(library, changes->origin.id, reference);
  storage::NewState fresh;
  fresh.description.model = model.identity;
  fresh.description.profile = storage::EditedProfile(model.runtime->profile());
  fresh.description.history = storage::EditedHistory(storage::ContentDigest(spec, segments));
  fresh.description.spec = spec;
  fresh.segments = segments;
  fresh.model_name = model.place.name;
  storage::Derivation derivation;
  derivation.operation = storage::Operation::kEdit;
  if (changes) {
    derivation.parent_state = changes->origin.id;
    derivation.parent = library.Resolve(NameOrId(library, changes->origin.id)).derivation;
  }
  const storage::PublishedState published =
      storage::Publish(library.repository(), fresh, derivation, reference, library.now_ms());
  RememberPlace(library, model);
  LoadedDump loaded;
  loaded.saved = {reference, published.state, published.stored_before, published.version_before, 0};
  loaded.saved.reference.version = published.version;
  loaded.edited = true;
  if (changes) {
    loaded.of = changes->origin.id;
    loaded.segments_changed = changes->segments;
  }
  return loaded;
}

storage::ResolvedState NeedsOf(const StateDump& dump) {
  storage::ResolvedState needs;
  needs.state.id = dump.state;
  needs.state.model = dump.model;
  needs.state.profile = dump.profile;
  return needs;
}

}  // namespace statelib::library
