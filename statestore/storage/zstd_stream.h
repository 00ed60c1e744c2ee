// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_ZSTD_STREAM_H_
#define STATELIB_STATESTORE_STORAGE_ZSTD_STREAM_H_

#include <memory>
#include <span>
#include <string>

#include "core/base/bytes.h"

namespace statelib::storage {

/// What a zstd frame holds, from one place on, piece by piece. Memory: kWindowBytesMax, however
/// much the frame holds. Move-only. One thread. Errors: kCorrupt; kUnsupported for a frame that
/// needs a larger window, as none of statelib does.
class ZstdStream {
 public:
  static constexpr int kWindowLogMax = 23;
  static constexpr size_t kWindowBytesMax = size_t{1} << kWindowLogMax;

  /// `frame`, which outlives the object, is one that CheckFrame has passed. `where` is for
  /// messages.
  ZstdStream(ByteSpan frame, uint64_t begin, std::string where);
  ZstdStream(ZstdStream&&) noexcept;
  ~ZstdStream();

  /// Fills `out` with what comes next.
  void Read(std::span<std::byte> out);
  /// Checks that nothing comes any more.
  void Finish();

 private:
  struct Context;
  /// Decodes into `out`; returns how many bytes came, none at the end.
  size_t Decode(std::span<std::byte> out);

  std::unique_ptr<Context> context_;
  ByteSpan frame_;
  size_t taken_ = 0;  // of the frame
  std::string where_;
};

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_ZSTD_STREAM_H_
