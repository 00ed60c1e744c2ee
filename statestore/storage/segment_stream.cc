// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/segment_stream.h"

#include <algorithm>

namespace statelib::storage {

namespace {

constexpr uint64_t kBlockElements = 1u << 16;
constexpr uint64_t kScaleBytes = 4;

}  // namespace

SegmentStream::SegmentStream(Codec codec, const SegmentSpec& spec, const SourcePart& frame,
                             const std::string& location)
    : codec_(codec), part_(spec), elements_(spec.elements()) {
  Bytes buffer;
  const ByteSpan first =
      frame.View(0, std::min<uint64_t>(kFrameHeaderBytesMax, frame.size()), &buffer);
  CheckFrameHeader(first, CodedBytes(codec, spec), location);
  if (!spec.shape.empty()) width_ = std::max<uint64_t>(1, static_cast<uint64_t>(spec.shape.back()));
  if (codec == Codec::kInt8) {
    lanes_.emplace_back(frame, 0, location);
    lanes_.emplace_back(frame, kScaleBytes * (elements_ / width_), location);
    return;
  }
  const uint64_t planes = elements_ == 0 ? 1 : CodedBytes(codec, spec) / elements_;
  for (uint64_t i = 0; i < planes; ++i) lanes_.emplace_back(frame, i * elements_, location);
}

void SegmentStream::Read(std::span<std::byte> out) {
  while (!out.empty()) {
    if (given_ == raw_.size()) ReadBlock();
    const size_t count = std::min(out.size(), raw_.size() - given_);
    std::copy_n(raw_.begin() + static_cast<std::ptrdiff_t>(given_), count, out.begin());
    given_ += count;
    out = out.subspan(count);
  }
}

void SegmentStream::ReadBlock() {
  given_ = 0;
  codec_ == Codec::kInt8 ? ReadRows() : ReadPlanes();
}

void SegmentStream::ReadPlanes() {
  const uint64_t count = std::min(kBlockElements, elements_ - done_);
  coded_.resize(lanes_.size() * count);
  for (size_t i = 0; i < lanes_.size(); ++i)
    lanes_[i].Read(std::span(coded_).subspan(i * count, count));
  Restore({static_cast<int64_t>(count)});
}

/// Whole rows, or a part of one that is longer than a block.
void SegmentStream::ReadRows() {
  const uint64_t column = done_ % width_;
  const uint64_t rows =
      std::max<uint64_t>(1, std::min(kBlockElements / width_, (elements_ - done_) / width_));
  const uint64_t width = std::min(kBlockElements, width_ - column);
  coded_.resize(rows * (kScaleBytes + width));
  const auto scales = std::span(coded_).first(rows * kScaleBytes);
  if (column == 0) {
    lanes_[0].Read(scales);
    scale_.assign(scales.begin(), scales.begin() + kScaleBytes);
  } else {
    std::copy(scale_.begin(), scale_.end(), scales.begin());
  }
  lanes_[1].Read(std::span(coded_).subspan(scales.size()));
  Restore({static_cast<int64_t>(rows), static_cast<int64_t>(width)});
}

void SegmentStream::Restore(const std::vector<int64_t>& shape) {
  part_.shape = shape;
  raw_.resize(part_.bytes());
  RestoreCoded(codec_, part_, coded_, raw_);
  done_ += part_.elements();
}

}  // namespace statelib::storage
