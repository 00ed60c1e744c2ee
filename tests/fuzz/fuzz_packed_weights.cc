// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "core/model/packed_file.h"
#include "tests/fuzz/fuzz_files.h"
#include "tests/fuzz/fuzz_input.h"

namespace statelib::model {
namespace {

constexpr size_t kDigestBytes = sizeof(Digest::bytes);
constexpr size_t kTailBytes = 16 + 3 * 8 + 2 * kDigestBytes;

/// The file with its size and the hash over its table right.
Bytes WithTail(ByteSpan file) {
  Bytes bytes(file.begin(), file.end());
  if (bytes.size() < kTailBytes) return bytes;
  std::byte* const tail = bytes.data() + bytes.size() - kTailBytes;
  StoreLittle<uint64_t>(bytes.size(), tail + 16);
  const auto begin = LoadLittle<uint64_t>(tail + 24);
  if (begin > bytes.size() - kTailBytes) return bytes;
  const Digest digest =
      HashOf(ByteSpan(bytes).subspan(begin).first(bytes.size() - begin - kDigestBytes));
  std::memcpy(tail + kTailBytes - kDigestBytes, digest.bytes.data(), kDigestBytes);
  return bytes;
}

void Read(ByteSpan file) {
  static const MemoryFolder folder("fuzz-packed");
  const Bytes bytes = WithTail(file);
  if (bytes.size() < kTailBytes) return;
  const ByteSpan tail = ByteSpan(bytes).last(kTailBytes);
  const Digest key = *Digest::FromBytes(tail.subspan(40, kDigestBytes));
  const auto parts = LoadLittle<uint64_t>(tail.data() + 32);
  const PackedFile packed = PackedFile::Open(folder.Write("weights", bytes), key, parts);
  Hasher hasher;
  for (size_t i = 0; i < parts; ++i) {
    Promise(reinterpret_cast<uintptr_t>(packed.part(i).bytes.data()) % 64 == 0);
    hasher.Update(packed.part(i).bytes);
  }
  hasher.Finish();
}

}  // namespace
}  // namespace statelib::model

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return statelib::ReadHostile(data, size, statelib::model::Read);
}
