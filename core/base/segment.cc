// SPDX-License-Identifier: Apache-2.0
#include "core/base/segment.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace statelib {

const char* NameOf(SegmentKind kind) {
  switch (kind) {
    case SegmentKind::kConv:
      return "conv";
    case SegmentKind::kSsm:
      return "ssm";
    case SegmentKind::kKeys:
      return "keys";
    case SegmentKind::kValues:
      return "values";
    case SegmentKind::kHidden:
      return "hidden";
  }
  return "?";
}

size_t SegmentSpec::elements() const {
  size_t count = 1;
  for (const int64_t extent : shape) count *= static_cast<size_t>(extent);
  return count;
}

std::string SegmentSpec::Label() const {
  const std::string location = layer < 0 ? "" : fmt::format("layer {} ", layer);
  return fmt::format("{}{} [{}]", location, NameOf(kind), fmt::join(shape, ", "));
}

size_t TotalBytes(const StateSpec& spec) {
  size_t total = 0;
  for (const SegmentSpec& segment : spec) total += segment.bytes();
  return total;
}

}  // namespace statelib
