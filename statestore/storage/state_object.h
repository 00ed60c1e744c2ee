// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_STATE_OBJECT_H_
#define STATELIB_STATESTORE_STORAGE_STATE_OBJECT_H_

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "statestore/storage/records.h"
#include "statestore/storage/segment_codec.h"
#include "statestore/storage/segment_stream.h"

// A state as one file: head (file_head.h) with a StateHeader, then one frame a segment, back to
// back in the header's order, to the end of the file.
namespace statelib::storage {

/// Identifies the raw state whatever codec or zstd version stored it: BLAKE2b-256 over
/// "statelib content 1" and, for each segment, its description and its raw bytes.
Digest ContentDigest(const StateSpec& spec, std::span<const ByteSpan> segments);

/// A state that another one of the same model, profile and spec is stored as a difference to.
struct DeltaBase {
  StateId id;
  std::span<const ByteSpan> segments;  ///< as the spec
};

/// The object of a state; segments[i] holds description.spec[i].bytes() bytes. A pure function of
/// its arguments and the zstd version. With a lossy codec the segments hold what Approximate gave.
/// kDelta needs a base; a segment whose difference is not smaller goes as kExact, and where that is
/// every segment, the object is the one that kExact gives. Errors: kInvalidArgument when a
/// segment's size is not the description's, or the codec would not give the segment's bytes back.
EncodedObject EncodeState(const StateDescription& description, std::span<const ByteSpan> segments,
                          const Digest& content, Codec codec = Codec::kExact,
                          const std::optional<Fidelity>& fidelity = std::nullopt,
                          const DeltaBase* base = nullptr);

/// The format version that an object of this header is written in.
uint32_t ObjectVersionOf(const StateHeader& header);

/// Whether the caller has checked the hash of the whole file already.
enum class FileHash { kUnchecked, kChecked };

/// Gives an object's bytes, whose hash was found to be its id. Errors: kNotFound, kCorrupt, kIo.
using ObjectSource = std::function<std::unique_ptr<const ByteSource>(const ObjectId& id)>;

/// Reads a state object wherever it lies, segment by segment; of one in memory nothing is copied.
/// The bytes must outlive it. One thread.
class StateReader {
 public:
  /// Checks head, header and that the frames fill the file exactly; touches no frame. `location`
  /// names the file in messages. `objects` is asked for the base of a delta once a segment needs
  /// it. Errors: kCorrupt, kUnsupported, kIo.
  StateReader(const ByteSource& file, std::string location, FileHash hash = FileHash::kUnchecked,
              ObjectSource objects = {});
  StateReader(ByteSpan file, std::string location, FileHash hash = FileHash::kUnchecked,
              ObjectSource objects = {});
  StateReader(const StateReader&) = delete;
  StateReader& operator=(const StateReader&) = delete;

  const StateHeader& header() const { return header_; }
  /// Fills `raw` (header().segments[i].raw_bytes) from segment i; checks the frame's digest unless
  /// the file's was. Errors: kCorrupt, also when the base is missing, damaged or no base of this
  /// state; kUnsupported.
  void ReadSegment(size_t i, std::span<std::byte> raw);
  Bytes ReadSegment(size_t i);
  /// Calls back with segment i piece by piece, in little memory however large it is. Errors: those
  /// of ReadSegment and SegmentStream.
  void ForEachPiece(size_t i, const std::function<void(ByteSpan raw)>& visit);

 private:
  void ReadHeader();
  ByteSpan ReadFrame(size_t i, const std::string& location);
  void CheckFrameHash(size_t i, const Digest& found, const std::string& location) const;
  SegmentStream Stream(size_t i) const;
  std::string WhereOf(size_t i) const;
  void Decode(size_t i, ByteSpan frame, std::span<std::byte> raw, const std::string& location);
  StateReader& Base();

  std::optional<MemorySource> memory_;
  const ByteSource* file_;
  std::string location_;
  FileHash hash_;
  ObjectSource objects_;
  StateHeader header_;
  std::vector<SourcePart> frames_;
  Bytes frame_;
  SegmentDecoder decoder_;
  std::unique_ptr<const ByteSource> base_file_;
  std::unique_ptr<StateReader> base_;
};

/// The whole state. Errors: those of StateReader.
StateRecord DecodeState(ByteSpan file, const std::string& location,
                        FileHash hash = FileHash::kUnchecked, ObjectSource objects = {});

/// Decodes every segment, in memory at most a few megabytes at a time, and compares the content
/// digest with the header's. Returns the header. Errors: those of StateReader; kCorrupt for NaN and
/// infinity too.
StateHeader VerifyState(const ByteSource& file, const std::string& location,
                        ObjectSource objects = {});
StateHeader VerifyState(ByteSpan file, const std::string& location, ObjectSource objects = {});

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_STATE_OBJECT_H_
