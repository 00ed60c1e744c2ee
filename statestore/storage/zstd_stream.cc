// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/zstd_stream.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <new>
#include <utility>

#include "core/base/error.h"

namespace statelib::storage {

namespace {

constexpr size_t kBlockBytes = 1u << 16;

}  // namespace

struct ZstdStream::Context {
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> zstd{ZSTD_createDCtx()};
};

ZstdStream::ZstdStream(const SourcePart& frame, uint64_t begin, std::string location)
    : context_(std::make_unique<Context>()), frame_(frame), location_(std::move(location)) {
  if (context_->zstd == nullptr ||
      ZSTD_isError(
          ZSTD_DCtx_setParameter(context_->zstd.get(), ZSTD_d_windowLogMax, kWindowLogMax)) != 0)
    throw std::bad_alloc();
  Bytes passed(std::min<uint64_t>(begin, kBlockBytes));
  for (uint64_t left = begin; left > 0;) {
    const auto piece = std::span(passed).first(std::min<uint64_t>(left, passed.size()));
    Read(piece);
    left -= piece.size();
  }
}

ZstdStream::ZstdStream(ZstdStream&&) noexcept = default;
ZstdStream::~ZstdStream() = default;

void ZstdStream::TakeBlock() {
  block_ = frame_.View(seen_, std::min<uint64_t>(kBlockBytes, frame_.size() - seen_), &buffer_);
  seen_ += block_.size();
}

size_t ZstdStream::Decode(std::span<std::byte> out) {
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  while (to.pos == 0 && !ended_) {
    if (block_.empty()) TakeBlock();
    ZSTD_inBuffer from{block_.data(), block_.size(), 0};
    const size_t result = ZSTD_decompressStream(context_->zstd.get(), &to, &from);
    if (ZSTD_isError(result) != 0) {
      const bool too_wide = ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge;
      Throw(too_wide ? ErrorKind::kUnsupported : ErrorKind::kCorrupt,
            "{}: cannot decompress: zstd says {}", location_, ZSTD_getErrorName(result));
    }
    ended_ = result == 0;
    block_ = block_.subspan(from.pos);
    if (to.pos == 0 && from.pos == 0) break;
  }
  return to.pos;
}

void ZstdStream::Read(std::span<std::byte> out) {
  while (!out.empty()) {
    const size_t got = Decode(out);
    if (got == 0) Throw(ErrorKind::kCorrupt, "{}: its frame ends too early", location_);
    out = out.subspan(got);
  }
}

void ZstdStream::Finish() {
  std::byte more{};
  if (Decode({&more, 1}) > 0)
    Throw(ErrorKind::kCorrupt, "{}: its frame holds more than it says", location_);
  const uint64_t taken = seen_ - block_.size();
  if (ended_ && taken == frame_.size()) return;
  Throw(ErrorKind::kCorrupt, "{}: expected one zstd frame of {} bytes, found {}", location_,
        frame_.size(), ended_ ? fmt::format("one of {}", taken) : "one that was cut short");
}

}  // namespace statelib::storage
