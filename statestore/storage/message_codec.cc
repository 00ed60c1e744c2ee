// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/message_codec.h"

#include <algorithm>
#include <tuple>

#include "core/base/error.h"
#include "core/base/printable.h"
#include "kernels/profile.h"
#include "proto/statelib.pb.h"
#include "statestore/storage/limits.h"
#include "statestore/storage/message_fields.h"
#include "statestore/storage/reference.h"
#include "statestore/storage/segment_codec.h"

namespace statelib::storage {

namespace {

// ---------------------------------------------------------------------------- to messages

v1::DType ToProto(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return v1::DTYPE_F32;
    case DType::kBF16:
      return v1::DTYPE_BF16;
    case DType::kF16:
      return v1::DTYPE_F16;
    case DType::kI32:  // of no segment
      break;
  }
  return v1::DTYPE_UNSPECIFIED;
}

void ToProto(const SegmentSpec& spec, const SegmentEntry& entry, v1::Segment* out) {
  out->set_layer(spec.layer);
  out->set_kind(static_cast<uint32_t>(spec.kind));
  out->set_dtype(ToProto(spec.dtype));
  for (const int64_t extent : spec.shape) out->add_shape(static_cast<uint64_t>(extent));
  out->set_axes(spec.axes);
  out->set_codec(static_cast<v1::Codec>(entry.codec));
  out->set_raw_bytes(entry.raw_bytes);
  out->set_stored_bytes(entry.stored_bytes);
  SetDigest(entry.frame_digest, out->mutable_frame_digest());
}

void ToProto(const Fidelity& fidelity, v1::Fidelity* out) {
  out->set_codec(static_cast<v1::Codec>(fidelity.codec));
  SetDigest(fidelity.exact_content, out->mutable_exact_content());
  SetDigest(fidelity.probe, out->mutable_probe());
  out->set_probe_tokens(fidelity.probe_tokens);
  out->set_mean_kl(fidelity.mean_kl);
  out->set_largest_kl(fidelity.largest_kl);
  out->set_top1_agreement(fidelity.top1_agreement);
  for (const double error : fidelity.layer_errors) out->add_layer_errors(error);
}

void ToProto(const StateHeader& header, v1::StateHeader* out) {
  const StateDescription& description = header.description;
  ToProto(description.model, out->mutable_model());
  out->set_numerics_profile(description.profile);
  out->set_token_count(description.history.token_count());
  SetDigest(description.history.chain(), out->mutable_history_chain());
  out->set_tokens_kept(description.tokens_kept);
  for (const TokenChunk& chunk : description.chunks) {
    v1::TokenChunk* item = out->add_chunks();
    SetDigest(chunk.id, item->mutable_object_id());
    item->set_token_count(chunk.token_count);
  }
  SetDigest(header.content, out->mutable_content_digest());
  for (size_t i = 0; i < header.segments.size(); ++i)
    ToProto(description.spec[i], header.segments[i], out->add_segments());
  if (header.fidelity) ToProto(*header.fidelity, out->mutable_fidelity());
  if (header.base) SetDigest(*header.base, out->mutable_base_state_id());
  for (const Continuation& earlier : description.continued_from) {
    v1::Continuation* item = out->add_continued_from();
    item->set_numerics_profile(earlier.profile);
    item->set_token_count(earlier.token_count);
  }
}

void ToProto(const TokensHeader& header, v1::TokensHeader* out) {
  out->set_token_count(header.token_count);
  out->set_encoding(static_cast<v1::TokenEncoding>(header.encoding));
  out->set_raw_bytes(header.raw_bytes);
  out->set_stored_bytes(header.stored_bytes);
  SetDigest(header.frame_digest, out->mutable_frame_digest());
}

// -------------------------------------------------------------------------- from messages

/// Checks the fields of one header. Every method throws kCorrupt with the place and the field.
class Reader : public FieldReader {
 public:
  using FieldReader::FieldReader;

  SegmentSpec ReadSpec(const v1::Segment& message) const {
    static constexpr DType kDTypes[] = {DType::kF32, DType::kBF16, DType::kF16};
    SegmentSpec spec;
    if (message.layer() < -1) Fail("segment of layer {}", message.layer());
    spec.layer = message.layer();
    spec.kind = ReadEnum<SegmentKind>(static_cast<int>(std::min(message.kind(), 1000u)),
                                      static_cast<int>(SegmentKind::kHidden), "segment kind");
    spec.dtype = kDTypes[ReadEnum<int>(message.dtype(), 3, "dtype") - 1];
    spec.axes = ReadText(message.axes(), "axes");
    if (message.shape_size() > static_cast<int>(kAxesMax))
      Fail("segment with {} axes, expected at most {}", message.shape_size(), kAxesMax);
    uint64_t bytes = kernels::SizeOf(spec.dtype);
    for (const uint64_t extent : message.shape()) {
      if (extent > kSegmentBytesMax || (bytes *= extent) > kSegmentBytesMax)
        Fail("segment of more than {} bytes", kSegmentBytesMax);
      spec.shape.push_back(static_cast<int64_t>(extent));
    }
    if (message.raw_bytes() != bytes) {
      Fail("{}: expected {} raw bytes from its shape, found {}", spec.Label(), bytes,
           message.raw_bytes());
    }
    return spec;
  }

  SegmentEntry ReadEntry(const v1::Segment& message) const {
    SegmentEntry entry;
    entry.codec = ReadEnum<Codec>(message.codec(), v1::Codec_MAX, "codec");
    entry.raw_bytes = message.raw_bytes();
    entry.stored_bytes = message.stored_bytes();
    if (entry.stored_bytes > kObjectBytesMax) Fail("frame of {} bytes", entry.stored_bytes);
    entry.frame_digest = ReadDigest(message.frame_digest(), "frame digest");
    return entry;
  }

  Fidelity ReadFidelity(const v1::Fidelity& message) const {
    Fidelity fidelity;
    fidelity.codec = ReadEnum<Codec>(message.codec(), v1::Codec_MAX, "codec");
    fidelity.exact_content = ReadDigest(message.exact_content(), "exact content");
    fidelity.probe = ReadDigest(message.probe(), "probe");
    fidelity.probe_tokens = message.probe_tokens();
    fidelity.mean_kl = ReadMeasure(message.mean_kl(), "mean KL");
    fidelity.largest_kl = ReadMeasure(message.largest_kl(), "largest KL");
    fidelity.top1_agreement = ReadMeasure(message.top1_agreement(), "top-1 agreement");
    if (message.layer_errors_size() > static_cast<int>(kSegmentsMax))
      Fail("{} layer errors, expected at most {}", message.layer_errors_size(), kSegmentsMax);
    for (const double error : message.layer_errors())
      fidelity.layer_errors.push_back(ReadMeasure(error, "layer error"));
    return fidelity;
  }

  void ReadContinuations(const v1::StateHeader& message, StateDescription* description) const {
    const bool continued = kernels::Profile::Parse(description->profile).continued;
    const int count = message.continued_from_size();
    if (count > kContinuationsMax || continued != (count > 0))
      Fail("{} continuations beside the profile {}", count, Quoted(description->profile));
    uint64_t before = 0;
    for (const v1::Continuation& item : message.continued_from()) {
      if (item.token_count() <= before || item.token_count() > description->history.token_count())
        Fail("a continuation after {} tokens, expected {} to {}", item.token_count(), before + 1,
             description->history.token_count());
      before = item.token_count();
      description->continued_from.push_back(
          {ReadText(item.numerics_profile(), "profile of a continuation"), before});
    }
  }

  StateHeader ReadState(const v1::StateHeader& message) const {
    StateHeader header;
    StateDescription& description = header.description;
    description.model = ReadModel(message.model());
    description.profile = ReadText(message.numerics_profile(), "numerics profile");
    description.history =
        History(message.token_count(), ReadDigest(message.history_chain(), "history chain"));
    description.tokens_kept = message.tokens_kept();
    ReadContinuations(message, &description);
    ReadChunks(message, &description);
    header.content = ReadDigest(message.content_digest(), "content digest");
    if (message.segments_size() > static_cast<int>(kSegmentsMax))
      Fail("{} segments, expected at most {}", message.segments_size(), kSegmentsMax);
    uint64_t raw_bytes = 0;
    for (const v1::Segment& segment : message.segments()) {
      description.spec.push_back(ReadSpec(segment));
      header.segments.push_back(ReadEntry(segment));
      if (CodecFor(header.segments.back().codec, description.spec.back()) !=
          header.segments.back().codec)
        Fail("{}: its codec does not store such a segment", description.spec.back().Label());
      raw_bytes += segment.raw_bytes();
    }
    if (raw_bytes > kStateBytesMax)
      Fail("a state of {} bytes, expected at most {}", raw_bytes, kStateBytesMax);
    if (message.has_fidelity()) header.fidelity = ReadFidelity(message.fidelity());
    if (!message.base_state_id().empty())
      header.base = ReadDigest(message.base_state_id(), "base state");
    const bool has_deltas =
        std::any_of(header.segments.begin(), header.segments.end(),
                    [](const SegmentEntry& segment) { return segment.codec == Codec::kDelta; });
    if (has_deltas != header.base.has_value())
      Fail("expected a base with segments that are differences to it, found one without the other");
    return header;
  }

  TokensHeader ReadTokens(const v1::TokensHeader& message) const {
    TokensHeader header;
    header.token_count = message.token_count();
    if (header.token_count == 0 || header.token_count > kTokensPerChunk)
      Fail("{} tokens, expected 1 to {}", header.token_count, kTokensPerChunk);
    header.encoding =
        ReadEnum<TokenEncoding>(message.encoding(), v1::TokenEncoding_MAX, "token encoding");
    header.raw_bytes = message.raw_bytes();
    if (header.raw_bytes > kTokensPerChunk * 5) Fail("ids of {} raw bytes", header.raw_bytes);
    header.stored_bytes = message.stored_bytes();
    if (header.stored_bytes > kTokensPerChunk * 10)
      Fail("a frame of ids of {} bytes", header.stored_bytes);
    header.frame_digest = ReadDigest(message.frame_digest(), "frame digest");
    return header;
  }

  BundleManifest::Reference ReadReference(const v1::BundleReference& message,
                                          size_t derivations) const {
    if (message.derivation() == 0 || message.derivation() > derivations)
      Fail("reference to derivation {} of {}", message.derivation(), derivations);
    return {ReadText(message.name(), "name"), ReadText(message.tag(), "tag"),
            ReadDigest(message.state_id(), "reference's state"), message.derivation() - 1,
            message.version()};
  }

  RemoteVersion ReadVersion(const v1::RemoteVersion& message) const {
    try {
      CheckName(message.name());
      CheckTag(message.tag());
    } catch (const Error& error) {
      Fail("{}", error.what());
    }
    if (message.number() == 0) Fail("{}:{}: version 0", message.name(), message.tag());
    if (message.manifest_bytes() > kManifestBytesMax)
      Fail("manifest of {} bytes", message.manifest_bytes());
    RemoteVersion version{message.name(),        message.tag(),
                          message.number(),      ReadDigest(message.state_id(), "version's state"),
                          message.token_count(), message.pushed_at_ms(),
                          std::nullopt,          message.manifest_bytes()};
    if (!message.manifest_id().empty())
      version.manifest = ReadDigest(message.manifest_id(), "version's manifest");
    return version;
  }

 private:
  void ReadChunks(const v1::StateHeader& message, StateDescription* out) const {
    uint64_t tokens = 0;
    for (const v1::TokenChunk& chunk : message.chunks()) {
      const bool last = out->chunks.size() + 1 == static_cast<size_t>(message.chunks_size());
      if (chunk.token_count() == 0 || chunk.token_count() > kTokensPerChunk ||
          (!last && chunk.token_count() != kTokensPerChunk)) {
        Fail("chunk {} of {} tokens, expected {}", out->chunks.size(), chunk.token_count(),
             kTokensPerChunk);
      }
      out->chunks.push_back({ReadDigest(chunk.object_id(), "chunk"), chunk.token_count()});
      tokens += chunk.token_count();
    }
    const uint64_t expected = message.tokens_kept() ? message.token_count() : 0;
    if (tokens != expected) Fail("expected chunks of {} tokens, found {}", expected, tokens);
  }
};

v1::ObjectHeader ToProto(const ObjectHeader& header) {
  v1::ObjectHeader message;
  if (const auto* state = std::get_if<StateHeader>(&header)) {
    ToProto(*state, message.mutable_state());
  } else {
    ToProto(std::get<TokensHeader>(header), message.mutable_tokens());
  }
  return message;
}

v1::BundleManifest ToProto(const BundleManifest& manifest) {
  v1::BundleManifest message;
  for (const BundleManifest::Model& model : manifest.models) {
    v1::BundleModel* item = message.add_models();
    ToProto(model.identity, item->mutable_model());
    item->set_name(model.name);
    SetPromptForm(model.prompt, item, &v1::BundleModel::mutable_prompt);
  }
  for (const BundleManifest::Object& object : manifest.objects) {
    v1::BundleObject* item = message.add_objects();
    SetDigest(object.id, item->mutable_object_id());
    item->set_size_bytes(object.size_bytes);
  }
  for (const Derivation& derivation : manifest.derivations)
    ToProto(derivation, message.add_derivations());
  for (const BundleManifest::Reference& reference : manifest.references) {
    v1::BundleReference* item = message.add_references();
    item->set_name(reference.name);
    item->set_tag(reference.tag);
    SetDigest(reference.state, item->mutable_state_id());
    item->set_derivation(static_cast<uint32_t>(reference.derivation + 1));
    item->set_version(reference.version);
  }
  return message;
}

}  // namespace

std::string SerializeHeader(const ObjectHeader& header) { return Canonical(ToProto(header)); }

ObjectHeader ParseHeader(ByteSpan bytes, const std::string& location) {
  const Reader reader(location);
  v1::ObjectHeader message;
  reader.Parse(bytes, &message);
  if (message.kind_case() == v1::ObjectHeader::KIND_NOT_SET)
    reader.Fail("neither a state nor tokens");
  ObjectHeader header = message.has_state() ? ObjectHeader(reader.ReadState(message.state()))
                                            : ObjectHeader(reader.ReadTokens(message.tokens()));
  if (AsText(bytes) != SerializeHeader(header)) reader.Fail("its header is not in canonical form");
  return header;
}

std::string SerializeManifest(const BundleManifest& manifest) {
  return Canonical(ToProto(manifest));
}

BundleManifest ParseManifest(ByteSpan bytes, const std::string& location) {
  const Reader reader(location);
  v1::BundleManifest message;
  reader.Parse(bytes, &message);
  BundleManifest manifest;
  for (const v1::BundleModel& model : message.models())
    manifest.models.push_back({reader.ReadModel(model.model()),
                               reader.ReadText(model.name(), "model name"),
                               reader.ReadPromptForm(model.prompt())});
  for (const v1::BundleObject& object : message.objects()) {
    if (object.size_bytes() > kObjectBytesMax)
      reader.Fail("object of {} bytes, expected at most {}", object.size_bytes(), kObjectBytesMax);
    manifest.objects.push_back(
        {reader.ReadDigest(object.object_id(), "object id"), object.size_bytes()});
  }
  for (const v1::Derivation& derivation : message.derivations())
    manifest.derivations.push_back(reader.ReadDerivation(derivation, manifest.derivations.size()));
  for (const v1::BundleReference& reference : message.references())
    manifest.references.push_back(reader.ReadReference(reference, manifest.derivations.size()));
  if (AsText(bytes) != SerializeManifest(manifest))
    reader.Fail("its manifest is not in canonical form");
  return manifest;
}

std::string SerializeCatalogue(const std::vector<RemoteVersion>& versions) {
  v1::RemoteCatalogue message;
  for (const RemoteVersion& version : versions) {
    v1::RemoteVersion* item = message.add_versions();
    item->set_name(version.name);
    item->set_tag(version.tag);
    item->set_number(version.number);
    SetDigest(version.state, item->mutable_state_id());
    item->set_token_count(version.token_count);
    item->set_pushed_at_ms(version.pushed_at_ms);
    if (version.manifest) SetDigest(*version.manifest, item->mutable_manifest_id());
    item->set_manifest_bytes(version.manifest_bytes);
  }
  return Canonical(message);
}

std::vector<RemoteVersion> ParseCatalogue(ByteSpan bytes, const std::string& location) {
  const Reader reader(location);
  v1::RemoteCatalogue message;
  reader.Parse(bytes, &message);
  std::vector<RemoteVersion> versions;
  const auto place = [](const RemoteVersion& version) {
    return std::tie(version.name, version.tag, version.number);
  };
  for (const v1::RemoteVersion& version : message.versions()) {
    versions.push_back(reader.ReadVersion(version));
    if (versions.size() > 1 && place(versions[versions.size() - 2]) >= place(versions.back()))
      reader.Fail("the names are out of order");
  }
  if (AsText(bytes) != SerializeCatalogue(versions))
    reader.Fail("its catalogue is not in canonical form");
  return versions;
}

}  // namespace statelib::storage
