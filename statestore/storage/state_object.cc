// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/state_object.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "statestore/storage/container.h"
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
    hasher_.UpdateU64(static_cast<uint64_t>(int64_t{spec.layer}))
        .UpdateField(statelib::NameOf(spec.kind))
        .UpdateField(kernels::NameOf(spec.dtype))
        .UpdateU64(spec.shape.size());
    for (const int64_t extent : spec.shape) hasher_.UpdateU64(static_cast<uint64_t>(extent));
    hasher_.UpdateField(spec.axes).UpdateU64(raw.size()).Update(raw);
  }

  Digest Finish() { return hasher_.Finish(); }

 private:
  Hasher hasher_;
};

void Append(ByteSpan from, Bytes* to) { to->insert(to->end(), from.begin(), from.end()); }

}  // namespace

uint32_t ObjectVersionOf(const StateHeader& header) {
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
                          const std::optional<Fidelity>& fidelity) {
  const StateSpec& spec = description.spec;
  if (spec.size() != segments.size()) {
    Throw(ErrorKind::kInvalidArgument, "a state of {} segments was given {} of them", spec.size(),
          segments.size());
  }
  StateHeader header{description, content, {}, fidelity};
  std::vector<Bytes> frames;
  SegmentEncoder encoder;
  size_t frame_bytes = 0;
  for (size_t i = 0; i < spec.size(); ++i) {
    if (segments[i].size() != spec[i].bytes() || segments[i].size() > kSegmentBytesMax) {
      Throw(ErrorKind::kInvalidArgument, "{}: expected {} bytes (at most {}), found {}",
            spec[i].Label(), spec[i].bytes(), kSegmentBytesMax, segments[i].size());
    }
    const Codec used = CodecFor(codec, spec[i]);
    frames.push_back(encoder.Encode(used, spec[i], segments[i]));
    frame_bytes += frames.back().size();
    header.segments.push_back(
        {used, segments[i].size(), frames.back().size(), HashOf(frames.back())});
  }
  EncodedObject object;
  object.bytes = MakeHead(kObjectFile, ObjectVersionOf(header), AsBytes(SerializeHeader(header)));
  object.bytes.reserve(object.bytes.size() + frame_bytes);
  for (const Bytes& frame : frames) Append(frame, &object.bytes);
  object.id = HashOf(object.bytes);
  return object;
}

StateReader::StateReader(ByteSpan file, std::string where, FileHash hash)
    : where_(std::move(where)), hash_(hash) {
  const ByteSpan header = CheckedHeader(kObjectFile, file, where_);
  ObjectHeader parsed = ParseHeader(header, where_);
  auto* state = std::get_if<StateHeader>(&parsed);
  if (state == nullptr)
    Throw(ErrorKind::kCorrupt, "{}: expected a state object, found a tokens object", where_);
  header_ = std::move(*state);
  if (VersionOf(file) != ObjectVersionOf(header_)) {
    Throw(ErrorKind::kCorrupt, "{}: expected format version {} for what it holds, found {}", where_,
          ObjectVersionOf(header_), VersionOf(file));
  }
  size_t offset = HeadBytes(header.size());
  for (const SegmentEntry& segment : header_.segments) {
    if (segment.stored_bytes > file.size() - offset) {
      Throw(ErrorKind::kCorrupt, "{}: cut short: a frame needs {} bytes at {}, the file has {}",
            where_, segment.stored_bytes, offset, file.size());
    }
    frames_.push_back(file.subspan(offset, segment.stored_bytes));
    offset += segment.stored_bytes;
  }
  if (offset != file.size()) {
    Throw(ErrorKind::kCorrupt, "{}: expected {} bytes, found {}", where_, offset, file.size());
  }
}

void StateReader::ReadSegment(size_t i, std::span<std::byte> raw) {
  const SegmentSpec& spec = header_.description.spec[i];
  const SegmentEntry& entry = header_.segments[i];
  const std::string where = fmt::format("{}: {}", where_, spec.Label());
  if (hash_ == FileHash::kUnchecked && HashOf(frames_[i]) != entry.frame_digest) {
    Throw(ErrorKind::kCorrupt, "{}: damaged frame: expected hash {}, found {}", where,
          entry.frame_digest.ShortHex(), HashOf(frames_[i]).ShortHex());
  }
  decoder_.Decode(entry.codec, spec, frames_[i], raw, where);
}

Bytes StateReader::ReadSegment(size_t i) {
  const SegmentEntry& entry = header_.segments[i];
  const SegmentSpec& spec = header_.description.spec[i];
  CheckFrame(frames_[i], CodedBytes(entry.codec, spec),
             fmt::format("{}: {}", where_, spec.Label()));
  Bytes raw(entry.raw_bytes);
  ReadSegment(i, raw);
  return raw;
}

StateRecord DecodeState(ByteSpan file, const std::string& where, FileHash hash) {
  StateReader reader(file, where, hash);
  StateRecord record{reader.header().description, {}};
  for (size_t i = 0; i < reader.header().segments.size(); ++i)
    record.segments.push_back(reader.ReadSegment(i));
  return record;
}

StateHeader VerifyState(ByteSpan file, const std::string& where) {
  StateReader reader(file, where);
  const StateHeader& header = reader.header();
  ContentHasher hasher(header.segments.size());
  for (size_t i = 0; i < header.segments.size(); ++i)
    hasher.Add(header.description.spec[i], reader.ReadSegment(i));
  const Digest found = hasher.Finish();
  if (found != header.content) {
    Throw(ErrorKind::kCorrupt, "{}: expected content hash {}, found {}", where,
          header.content.ShortHex(), found.ShortHex());
  }
  return header;
}

}  // namespace statelib::storage
