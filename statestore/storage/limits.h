// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_STATESTORE_STORAGE_LIMITS_H_
#define STATELIB_STATESTORE_STORAGE_LIMITS_H_

#include <cstddef>
#include <cstdint>

// What a file from outside may ask for. Every size in a header is compared with these before
// anything is allocated; they are far above what any published model needs.
namespace statelib::storage {

inline constexpr uint32_t kObjectHeaderBytesMax = 16u << 20;
inline constexpr uint32_t kManifestBytesMax = 256u << 20;
inline constexpr uint64_t kSegmentBytesMax = uint64_t{1} << 30;  ///< one tensor, uncompressed
inline constexpr uint64_t kStateBytesMax = uint64_t{1} << 34;    ///< one state, uncompressed
inline constexpr uint64_t kObjectBytesMax = kStateBytesMax + kObjectHeaderBytesMax + (1u << 20);
inline constexpr size_t kSegmentsMax = 1u << 16;
inline constexpr int kContinuationsMax = 64;  ///< profiles that a state was read under before
inline constexpr size_t kAxesMax = 8;
inline constexpr size_t kTextBytesMax = 4096;  ///< any one text in a header

/// Where a history is cut into tokens objects: after every kTokensPerChunk tokens, in every program
/// that wrote them and in how many steps, so that equal histories have equal chunks and documents
/// with a common beginning share theirs. An append writes its own tokens and at most one chunk
/// again.
inline constexpr uint32_t kTokensPerChunk = 4096;

}  // namespace statelib::storage

#endif  // STATELIB_STATESTORE_STORAGE_LIMITS_H_
