// SPDX-License-Identifier: Apache-2.0
#include "statestore/storage/byte_planes.h"

namespace statelib::storage {

namespace {

template <typename T>
void Split(const std::byte* elements, size_t count, std::byte* planes) {
  for (size_t b = 0; b < sizeof(T); ++b) {
    std::byte* plane = planes + b * count;
    for (size_t i = 0; i < count; ++i) {
      const T value = std::rotl(LoadLittle<T>(elements + i * sizeof(T)), 1);
      plane[i] = static_cast<std::byte>(value >> (8 * b));
    }
  }
}

template <typename T>
void Join(const std::byte* planes, size_t count, std::byte* elements) {
  for (size_t i = 0; i < count; ++i) {
    T value = 0;
    for (size_t b = 0; b < sizeof(T); ++b) {
      const auto byte = static_cast<unsigned>(planes[b * count + i]);
      value = static_cast<T>(value | static_cast<T>(byte << (8 * b)));
    }
    StoreLittle(std::rotr(value, 1), elements + i * sizeof(T));
  }
}

}  // namespace

void SplitIntoPlanes(ByteSpan elements, size_t element_bytes, std::span<std::byte> planes) {
  const size_t count = elements.size() / element_bytes;
  if (element_bytes == 4) return Split<uint32_t>(elements.data(), count, planes.data());
  Split<uint16_t>(elements.data(), count, planes.data());
}

void JoinPlanes(ByteSpan planes, size_t element_bytes, std::span<std::byte> elements) {
  const size_t count = elements.size() / element_bytes;
  if (element_bytes == 4) return Join<uint32_t>(planes.data(), count, elements.data());
  Join<uint16_t>(planes.data(), count, elements.data());
}

}  // namespace statelib::storage
