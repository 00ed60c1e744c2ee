// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_SEGMENT_STREAM_H_
#define STATELIB_STATESTORE_STORAGE_SEGMENT_STREAM_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/segment.h"
#include "statestore/storage/segment_codec.h"
#include "statestore/storage/zstd_stream.h"

namespace statelib::storage {

/// A segment's raw bytes, piece by piece, for those who only look at them once: a few megabytes of
/// memory (that of a ZstdStream for every byte of an element) whatever the segment's size, for two
/// to three times the time of SegmentDecoder, as every byte plane is decoded up to its own
/// end. Move-only. One thread. Errors: those of CheckFrameHeader and
/// ZstdStream.
class SegmentStream {
 public:
  /// What `frame` is a part of outlives the object; `location` is for messages.
  SegmentStream(Codec codec, const SegmentSpec& spec, const SourcePart& frame,
                const std::string& location);

  /// Fills `out` with what comes next, at most what is left.
  void Read(std::span<std::byte> out);
  /// Checks, after the last byte, that the frame ends there.
  void Finish() { lanes_.back().Finish(); }

 private:
  void ReadBlock();
  void ReadPlanes();
  void ReadRows();
  void Restore(const std::vector<int64_t>& shape);

  Codec codec_;
  SegmentSpec part_;  // of the block: the segment's with another shape
  uint64_t elements_ = 0;
  uint64_t width_ = 1;
  uint64_t done_ = 0;              // elements that were restored
  std::vector<ZstdStream> lanes_;  // where the coded bytes that belong together are read from
  Bytes scale_;                    // of the row that a block ended in
  Bytes coded_;
  Bytes raw_;
  size_t given_ = 0;  // bytes of raw_
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_SEGMENT_STREAM_H_
