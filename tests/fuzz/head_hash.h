// SPDX-License-Identifier: Apache-2.0
#ifndef STATELIB_TESTS_FUZZ_HEAD_HASH_H_
#define STATELIB_TESTS_FUZZ_HEAD_HASH_H_

#include <cstring>

#include "statestore/storage/file_head.h"

namespace statelib::storage {

/// The file with the right hash over its head, so that what is changed there is read too.
inline Bytes WithHeadHash(ByteSpan file) {
  Bytes bytes(file.begin(), file.end());
  if (bytes.size() < kPreludeBytes) return bytes;
  const auto header = LoadLittle<uint32_t>(bytes.data() + 12);
  if (header > bytes.size() || HeadBytes(header) > bytes.size()) return bytes;
  const size_t hashed = kPreludeBytes + header;
  const Digest digest = HashOf(ByteSpan(bytes).first(hashed));
  std::memcpy(bytes.data() + hashed, digest.bytes.data(), digest.bytes.size());
  return bytes;
}

}  // namespace statelib::storage

#endif  // STATELIB_TESTS_FUZZ_HEAD_HASH_H_
