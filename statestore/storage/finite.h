// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_FINITE_H_
#define STATELIB_STATESTORE_STORAGE_FINITE_H_

#include "core/base/bytes.h"
#include "core/base/segment.h"

namespace statelib::storage {

/// Whether a segment holds neither NaN nor infinity. A state that does is the result of damaged
/// weights or of numbers too large for their type, everything that goes on from it is worthless,
/// and no text shows where it came from; so none is stored or let in.
bool IsFinite(const SegmentSpec& spec, ByteSpan raw);

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_FINITE_H_
