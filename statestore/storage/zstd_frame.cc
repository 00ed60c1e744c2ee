// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/zstd_frame.h"

#include <zstd.h>

#include <algorithm>
#include <new>

#include "core/base/error.h"

namespace statelib::storage {

namespace {

// Measured on the demo model's state (737,280 bytes, byte planes in blocks of their own): level 1
// with long matches only stores 84.8 % in 1.4 ms and reads back in 0.3 ms. Level 3 stores 85.8 %,
// level 19 stores 85.9 % in 28 ms: what compresses is the entropy of the exponents, and accidental
// short matches only disturb it.
constexpr int kLevel = 1;
constexpr int kMinMatch = 7;

size_t Checked(size_t result, const char* doing) {
  if (ZSTD_isError(result) != 0) {
    Throw(ErrorKind::kIo, "{}: zstd says {}", doing, ZSTD_getErrorName(result));
  }
  return result;
}

}  // namespace

struct ZstdCompressor::Context {
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> zstd{ZSTD_createCCtx()};
};

ZstdCompressor::ZstdCompressor() : context_(std::make_unique<Context>()) {
  if (context_->zstd == nullptr) throw std::bad_alloc();
}
ZstdCompressor::~ZstdCompressor() = default;

Bytes ZstdCompressor::Compress(ByteSpan raw, size_t part_bytes) {
  constexpr const char* kDoing = "cannot compress";
  ZSTD_CCtx* zstd = context_->zstd.get();
  Checked(ZSTD_CCtx_reset(zstd, ZSTD_reset_session_and_parameters), kDoing);
  Checked(ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, kLevel), kDoing);
  Checked(ZSTD_CCtx_setParameter(zstd, ZSTD_c_minMatch, kMinMatch), kDoing);
  Checked(ZSTD_CCtx_setPledgedSrcSize(zstd, raw.size()), kDoing);
  // A block that ends early costs a header of three bytes more than the bound knows of.
  const size_t parts = raw.size() / part_bytes + 1;
  Bytes frame(ZSTD_compressBound(raw.size()) + 8 * parts + 64);
  ZSTD_outBuffer out{frame.data(), frame.size(), 0};
  size_t done = 0;
  do {
    const size_t part = std::min(part_bytes, raw.size() - done);
    ZSTD_inBuffer in{raw.data() + done, part, 0};
    done += part;
    const ZSTD_EndDirective directive = done == raw.size() ? ZSTD_e_end : ZSTD_e_flush;
    while (Checked(ZSTD_compressStream2(zstd, &out, &in, directive), kDoing) != 0) {
      frame.resize(frame.size() * 2);
      out.dst = frame.data();
      out.size = frame.size();
    }
  } while (done < raw.size());
  frame.resize(out.pos);
  return frame;
}

struct ZstdDecompressor::Context {
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> zstd{ZSTD_createDCtx()};
};

ZstdDecompressor::ZstdDecompressor() : context_(std::make_unique<Context>()) {
  if (context_->zstd == nullptr) throw std::bad_alloc();
}
ZstdDecompressor::~ZstdDecompressor() = default;

void ZstdDecompressor::Decompress(ByteSpan frame, std::span<std::byte> raw,
                                  const std::string& location) {
  CheckFrame(frame, raw.size(), location);
  // Decoding in one call uses `raw` itself as the window, so no frame can ask for memory.
  const size_t got =
      ZSTD_decompressDCtx(context_->zstd.get(), raw.data(), raw.size(), frame.data(), frame.size());
  if (ZSTD_isError(got) != 0) {
    Throw(ErrorKind::kCorrupt, "{}: cannot decompress: zstd says {}", location,
          ZSTD_getErrorName(got));
  }
  if (got != raw.size()) {
    Throw(ErrorKind::kCorrupt, "{}: expected {} bytes in the frame, found {}", location, raw.size(),
          got);
  }
}

void CheckFrameHeader(ByteSpan first_bytes, uint64_t raw_bytes, const std::string& location) {
  const unsigned long long content =
      ZSTD_getFrameContentSize(first_bytes.data(), first_bytes.size());
  if (content == ZSTD_CONTENTSIZE_ERROR)
    Throw(ErrorKind::kCorrupt, "{}: not a zstd frame", location);
  if (content != raw_bytes) {
    Throw(ErrorKind::kCorrupt, "{}: expected a frame that holds {} bytes, found one that {}",
          location, raw_bytes,
          content == ZSTD_CONTENTSIZE_UNKNOWN ? "does not say" : fmt::format("holds {}", content));
  }
}

void CheckFrame(ByteSpan frame, uint64_t raw_bytes, const std::string& location) {
  const size_t length = ZSTD_findFrameCompressedSize(frame.data(), frame.size());
  if (ZSTD_isError(length) != 0) {
    Throw(ErrorKind::kCorrupt, "{}: not a zstd frame: zstd says {}", location,
          ZSTD_getErrorName(length));
  }
  if (length != frame.size()) {
    Throw(ErrorKind::kCorrupt, "{}: expected one zstd frame of {} bytes, found one of {}", location,
          frame.size(), length);
  }
  CheckFrameHeader(frame, raw_bytes, location);
}

}  // namespace statelib::storage
