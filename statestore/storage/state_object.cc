// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/state_object.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "statestore/storage/file_head.h"
#include "statestore/storage/finite.h"
#include "statestore/storage/float_difference.h"
#include "statestore/storage/message_codec.h"

namespace statelib::storage {

namespace {

/// The running content digest, so that it can also be taken one segment at a time.
class ContentHasher {
 public:
  explicit ContentHasher(size_t segments) {
    hasher_.UpdateField("statelib content 1").UpdateU64(segments);
  }

  void Add(const SegmentSpec& spec, ByteSpan raw) {
    Begin(spec, raw.size());
    Update(raw);
  }
  /// The same piece by piece.
  void Begin(const SegmentSpec& spec, uint64_t raw_bytes) {
    hasher_.UpdateU64(static_cast<uint64_t>(int64_t{spec.layer}))
        .UpdateField(statelib::NameOf(spec.kind))
        .UpdateField(kernels::NameOf(spec.dtype))
        .UpdateU64(spec.shape.size());
    for (const int64_t extent : spec.shape) hasher_.UpdateU64(static_cast<uint64_t>(extent));
    hasher_.UpdateField(spec.axes).UpdateU64(raw_bytes);
  }
  void Update(ByteSpan raw) { hasher_.Update(raw); }

  Digest Finish() { return hasher_.Finish(); }

 private:
  Hasher hasher_;
};

// Larger ones are decoded piece by piece where nobody wants them whole.
constexpr uint64_t kWholeSegmentBytesMax = 8u << 20;
constexpr size_t kPieceBytes = 1u << 18;

void Append(ByteSpan from, Bytes* to) { to->insert(to->end(), from.begin(), from.end()); }

/// The frame of a segment, and the codec that is used for it.
std::pair<Codec, Bytes> EncodeSegment(SegmentEncoder& encoder, Codec codec, const SegmentSpec& spec,
                                      ByteSpan raw, ByteSpan base) {
  if (codec != Codec::kDelta) return {codec, encoder.Encode(codec, spec, raw)};
  Bytes difference(raw.begin(), raw.end());
  TakeDifference(base, difference);
  Bytes exact = encoder.Encode(Codec::kExact, spec, raw);
  Bytes delta = encoder.Encode(Codec::kDelta, spec, difference);
  if (delta.size() < exact.size()) return {Codec::kDelta, std::move(delta)};
  return {Codec::kExact, std::move(exact)};
}

/// What keeps a state from being the base of another one; null: nothing.
const char* ObstacleToBase(const StateHeader& base, const StateDescription& state) {
  const StateDescription& description = base.description;
  if (base.base) return "that is a delta itself";
  if (description.model.fingerprint != state.model.fingerprint) return "of another model";
  if (description.profile != state.profile) return "of another numerics profile";
  if (description.spec != state.spec) return "of other segments";
  return nullptr;
}

}  // namespace

uint32_t ObjectVersionOf(const StateHeader& header) {
  if (!header.description.continued_from.empty()) return kContinuedObjectVersion;
  if (header.base) return kDeltaObjectVersion;
  const bool exact =
      std::all_of(header.segments.begin(), header.segments.end(),
                  [](const SegmentEntry& segment) { return segment.codec == Codec::kExact; });
  return exact && !header.fidelity ? kExactObjectVersion : kLossyObjectVersion;
}

Digest ContentDigest(const StateSpec& spec, std::span<const ByteSpan> segments) {
  ContentHasher hasher(spec.size());
  for (size_t i = 0; i < spec.size(); ++i) hasher.Add(spec[i], segments[i]);
  return hasher.Finish();
}

EncodedObject EncodeState(const StateDescription& description, std::span<const ByteSpan> segments,
                          const Digest& content, Codec codec,
                          const std::optional<Fidelity>& fidelity, const DeltaBase* base) {
  const StateSpec& spec = description.spec;
  if (spec.size() != segments.size()) {
    Throw(ErrorKind::kInvalidArgument, "a state of {} segments was given {} of them", spec.size(),
          segments.size());
  }
  if ((codec == Codec::kDelta) != (base != nullptr))
    Throw(ErrorKind::kInvalidArgument, "a delta needs a base, and nothing else has one");
  StateHeader header{description, content, {}, fidelity};
  std::vector<Bytes> frames;
  SegmentEncoder encoder;
  size_t frame_bytes = 0;
  for (size_t i = 0; i < spec.size(); ++i) {
    if (segments[i].size() != spec[i].bytes() || segments[i].size() > kSegmentBytesMax) {
      Throw(ErrorKind::kInvalidArgument, "{}: expected {} bytes (at most {}), found {}",
            spec[i].Label(), spec[i].bytes(), kSegmentBytesMax, segments[i].size());
    }
    auto [used, frame] = EncodeSegment(encoder, CodecFor(codec, spec[i]), spec[i], segments[i],
                                       base != nullptr ? base->segments[i] : ByteSpan());
    if (used == Codec::kDelta) header.base = base->id;
    frame_bytes += frame.size();
    header.segments.push_back({used, segments[i].size(), frame.size(), HashOf(frame)});
    frames.push_back(std::move(frame));
  }
  EncodedObject object;
  object.bytes = MakeHead(kObjectFile, ObjectVersionOf(header), AsBytes(SerializeHeader(header)));
  object.bytes.reserve(object.bytes.size() + frame_bytes);
  for (const Bytes& frame : frames) Append(frame, &object.bytes);
  object.id = HashOf(object.bytes);
  return object;
}

StateReader::StateReader(const ByteSource& file, std::string location, FileHash hash,
                         ObjectSource objects)
    : file_(&file), location_(std::move(location)), hash_(hash), objects_(std::move(objects)) {
  ReadHeader();
}

StateReader::StateReader(ByteSpan file, std::string location, FileHash hash, ObjectSource objects)
    : memory_(std::in_place, file),
      file_(&*memory_),
      location_(std::move(location)),
      hash_(hash),
      objects_(std::move(objects)) {
  ReadHeader();
}

void StateReader::ReadHeader() {
  Bytes buffer;
  const ByteSpan head = ReadHead(kObjectFile, *file_, location_, &buffer);
  const ByteSpan header = CheckedHeader(kObjectFile, head, location_);
  ObjectHeader parsed = ParseHeader(header, location_);
  auto* state = std::get_if<StateHeader>(&parsed);
  if (state == nullptr)
    Throw(ErrorKind::kCorrupt, "{}: expected a state object, found a tokens object", location_);
  header_ = std::move(*state);
  if (VersionOf(head) != ObjectVersionOf(header_)) {
    Throw(ErrorKind::kCorrupt, "{}: expected format version {} for what it holds, found {}",
          location_, ObjectVersionOf(header_), VersionOf(head));
  }
  uint64_t offset = head.size();
  for (const SegmentEntry& segment : header_.segments) {
    if (segment.stored_bytes > file_->size() - offset) {
      Throw(ErrorKind::kCorrupt, "{}: cut short: a frame needs {} bytes at {}, the file has {}",
            location_, segment.stored_bytes, offset, file_->size());
    }
    frames_.emplace_back(*file_, offset, segment.stored_bytes);
    offset += segment.stored_bytes;
  }
  if (offset != file_->size()) {
    Throw(ErrorKind::kCorrupt, "{}: expected {} bytes, found {}", location_, offset, file_->size());
  }
}

std::string StateReader::WhereOf(size_t i) const {
  return fmt::format("{}: {}", location_, header_.description.spec[i].Label());
}

void StateReader::CheckFrameHash(size_t i, const Digest& found, const std::string& location) const {
  const Digest& expected = header_.segments[i].frame_digest;
  if (found == expected) return;
  Throw(ErrorKind::kCorrupt, "{}: damaged frame: expected hash {}, found {}", location,
        expected.ShortHex(), found.ShortHex());
}

/// The whole frame, valid until the next one is read.
ByteSpan StateReader::ReadFrame(size_t i, const std::string& location) {
  const ByteSpan frame = frames_[i].View(0, frames_[i].size(), &frame_);
  if (hash_ == FileHash::kUnchecked) CheckFrameHash(i, HashOf(frame), location);
  return frame;
}

void StateReader::Decode(size_t i, ByteSpan frame, std::span<std::byte> raw,
                         const std::string& location) {
  const SegmentEntry& entry = header_.segments[i];
  decoder_.Decode(entry.codec, header_.description.spec[i], frame, raw, location);
  if (entry.codec == Codec::kDelta) AddDifference(Base().ReadSegment(i), raw);
}

void StateReader::ReadSegment(size_t i, std::span<std::byte> raw) {
  const std::string location = WhereOf(i);
  Decode(i, ReadFrame(i, location), raw, location);
}

StateReader& StateReader::Base() {
  if (base_) return *base_;
  const std::string location = fmt::format("{}: its base {}", location_, header_.base->ShortHex());
  try {
    if (!objects_) Throw(ErrorKind::kNotFound, "no objects");
    base_file_ = objects_(*header_.base);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCorrupt)
      Throw(ErrorKind::kCorrupt, "{}, to which it is a difference: {}", location, error.what());
    if (error.kind() != ErrorKind::kNotFound) throw;
    Throw(ErrorKind::kCorrupt, "{} is missing, and it is a difference to that", location);
  }
  auto base = std::make_unique<StateReader>(*base_file_, location, FileHash::kChecked);
  const char* const obstacle = ObstacleToBase(base->header(), header_.description);
  if (obstacle != nullptr)
    Throw(ErrorKind::kCorrupt, "{}: expected a whole state of the same model, found one {}",
          location, obstacle);
  base_ = std::move(base);
  return *base_;
}

Bytes StateReader::ReadSegment(size_t i) {
  const SegmentEntry& entry = header_.segments[i];
  const SegmentSpec& spec = header_.description.spec[i];
  const std::string location = WhereOf(i);
  const ByteSpan frame = ReadFrame(i, location);
  CheckFrame(frame, CodedBytes(entry.codec, spec), location);
  Bytes raw(entry.raw_bytes);
  Decode(i, frame, raw, location);
  return raw;
}

void StateReader::ForEachPiece(size_t i, const std::function<void(ByteSpan raw)>& visit) {
  const SegmentEntry& entry = header_.segments[i];
  if (std::max(entry.raw_bytes, entry.stored_bytes) <= kWholeSegmentBytesMax)
    return visit(ReadSegment(i));
  SegmentStream stream = Stream(i);
  std::optional<SegmentStream> base;
  if (entry.codec == Codec::kDelta) base.emplace(Base().Stream(i));
  Bytes piece(kPieceBytes);
  Bytes base_piece(base ? kPieceBytes : 0);
  for (uint64_t done = 0; done < entry.raw_bytes; done += piece.size()) {
    piece.resize(std::min<uint64_t>(kPieceBytes, entry.raw_bytes - done));
    stream.Read(piece);
    if (base) {
      base_piece.resize(piece.size());
      base->Read(base_piece);
      AddDifference(base_piece, piece);
    }
    visit(piece);
  }
  stream.Finish();
}

SegmentStream StateReader::Stream(size_t i) const {
  const std::string location = WhereOf(i);
  if (hash_ == FileHash::kUnchecked) CheckFrameHash(i, HashOf(frames_[i]), location);
  return {header_.segments[i].codec, header_.description.spec[i], frames_[i], location};
}

StateRecord DecodeState(ByteSpan file, const std::string& location, FileHash hash,
                        ObjectSource objects) {
  StateReader reader(file, location, hash, std::move(objects));
  StateRecord record{reader.header().description, {}};
  for (size_t i = 0; i < reader.header().segments.size(); ++i)
    record.segments.push_back(reader.ReadSegment(i));
  return record;
}

StateHeader VerifyState(ByteSpan file, const std::string& location, ObjectSource objects) {
  return VerifyState(MemorySource(file), location, std::move(objects));
}

StateHeader VerifyState(const ByteSource& file, const std::string& location, ObjectSource objects) {
  StateReader reader(file, location, FileHash::kUnchecked, std::move(objects));
  const StateHeader& header = reader.header();
  ContentHasher hasher(header.segments.size());
  for (size_t i = 0; i < header.segments.size(); ++i) {
    const SegmentSpec& spec = header.description.spec[i];
    hasher.Begin(spec, header.segments[i].raw_bytes);
    bool is_finite = true;
    reader.ForEachPiece(i, [&](ByteSpan raw) {
      hasher.Update(raw);
      is_finite = is_finite && IsFinite(spec, raw);
    });
    if (is_finite) continue;
    Throw(ErrorKind::kCorrupt,
          "{}: the state holds NaN or infinity in {}; ingest its documents again", location,
          spec.Label());
  }
  const Digest found = hasher.Finish();
  if (found != header.content) {
    Throw(ErrorKind::kCorrupt, "{}: expected content hash {}, found {}", location,
          header.content.ShortHex(), found.ShortHex());
  }
  return header;
}

}  // namespace statelib::storage
