// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_ZSTD_STREAM_H_
#define STATELIB_STATESTORE_STORAGE_ZSTD_STREAM_H_

#include <memory>
#include <span>
#include <string>

#include "core/base/byte_source.h"
#include "core/base/bytes.h"

namespace statelib::storage {

/// What a zstd frame holds, from one place on, piece by piece. Memory: kWindowBytesMax and a block,
/// however long the frame is and however much it holds. Move-only. One thread. Errors: kCorrupt;
/// kUnsupported for a frame that needs a larger window, as none of statelib does.
class ZstdStream {
 public:
  static constexpr int kWindowLogMax = 23;
  static constexpr size_t kWindowBytesMax = size_t{1} << kWindowLogMax;

  /// What `frame` is a part of outlives the object. `location` is for messages.
  ZstdStream(const SourcePart& frame, uint64_t begin, std::string location);
  ZstdStream(ZstdStream&&) noexcept;
  ~ZstdStream();

  /// Fills `out` with what comes next.
  void Read(std::span<std::byte> out);
  /// Checks that nothing comes any more, neither in the frame nor behind it.
  void Finish();

 private:
  struct Context;
  /// Decodes into `out`; returns how many bytes came, none at the end.
  size_t Decode(std::span<std::byte> out);
  void TakeBlock();

  std::unique_ptr<Context> context_;
  SourcePart frame_;
  uint64_t seen_ = 0;  // bytes of the frame that were in a block
  Bytes buffer_;
  ByteSpan block_;  // what of the last one is not decoded yet
  bool ended_ = false;
  std::string location_;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_ZSTD_STREAM_H_
