// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_CORE_BASE_SEGMENT_H_
#define STATELIB_CORE_BASE_SEGMENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/dtype.h"

namespace statelib {

using kernels::DType;

/// What a tensor of a state is. The numbers are written to disk: never reuse one.
enum class SegmentKind : uint8_t { kConv = 1, kSsm = 2, kKeys = 3, kValues = 4, kHidden = 5 };

const char* NameOf(SegmentKind kind);  ///< "conv", "ssm", "keys", "values", "hidden"

/// One tensor of a state: row-major, dense. Storage copies, hashes and compares segments by this
/// description alone and knows no architecture.
struct SegmentSpec {
  int32_t layer = -1;  ///< 0-based; -1 for what belongs to the whole model (hidden)
  SegmentKind kind = SegmentKind::kHidden;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  std::string axes;  ///< the axes' names, comma-separated, slowest first: "state,channel"

  bool operator==(const SegmentSpec&) const = default;

  size_t elements() const;
  size_t bytes() const { return elements() * kernels::SizeOf(dtype); }
  std::string Label() const;  ///< for people: "layer 3 ssm [16, 768]"
};

/// Every segment of one sequence's state, in the order in which they lie in memory and on disk.
using StateSpec = std::vector<SegmentSpec>;

size_t TotalBytes(const StateSpec& spec);

}  // namespace statelib

#endif  // STATELIB_CORE_BASE_SEGMENT_H_
